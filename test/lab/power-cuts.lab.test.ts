import { afterAll, expect, test } from 'bun:test';
import { TempFolder } from '../support/temp-folder.ts';
import { Board, type BoardState } from './board/board.ts';
import {
  bootedSlot,
  data,
  fetchBundle,
  health,
  install,
  reboot,
  told,
  waitForVerdict,
  writeNotes,
} from './board/update.ts';
import { factoryVersion } from './images/factory.ts';
import { type LabImages, labImages } from './images/images.ts';
import { randomFrom, seedOfThisRun } from './random.ts';
import { type LabCut, reportCuts } from './report.ts';

/**
 * Power is cut at random moments of a whole update, from the first byte to the commit. Each time the board comes up by
 * itself in a slot that is whole, with data equal to before or to after, and the next update succeeds.
 */

const cuts = Number(process.env['HOMIE_LAB_CUTS'] ?? 25);
const cutMs = 600_000;
const imagesMs = 20 * 60_000;
const notes = 'the hall lamp is the one on the left';
const updated = '1.1.0';
const next = '1.5.0';
const folder = new TempFolder();
afterAll(() => folder[Symbol.dispose]());

test(
  `an emulated board survives ${cuts} power cuts at random moments of an update`,
  async () => {
    const images = await labImages();
    const ready = await boardThatIsReady(images);
    const cycleMs = await wholeUpdate(images, ready);
    const seed = await seedOfThisRun();
    process.stderr.write(`Cutting ${cuts} updates of ${cycleMs} ms, seed ${seed.toString(16)}\n`);
    const random = randomFrom(seed);
    const fallen: LabCut[] = [];
    for (let cut = 0; cut < cuts; cut += 1) {
      const atMs = Math.round(random() * cycleMs);
      const result = await cutAt(images, ready, atMs);
      process.stderr.write(`  ${JSON.stringify(result)}\n`);
      fallen.push(result);
      reportCuts({ seed: seed.toString(16), cycleMs, cuts: fallen });
    }
    expect(fallen.filter(({ end }) => end !== 'before' && end !== 'after')).toEqual([]);
    expect(fallen.length).toBe(cuts);
  },
  imagesMs + cuts * cutMs,
);

/** Proved healthy, with the bundle at hand. */
async function boardThatIsReady(images: LabImages): Promise<BoardState> {
  await using board = await Board.withCard(images);
  await board.powerOn();
  await board.nextBoot();
  await waitForVerdict(board);
  await writeNotes(board);
  await fetchBundle(board, updated);
  return await board.save(folder.path);
}

async function startUpdate(board: Board): Promise<void> {
  const update = `/opt/homie_orchestrator/scripts/update.sh install /data/${updated}.raucb; test $? = 4 && systemctl reboot`;
  await board.run(`systemd-run --unit=lab-update sh -c '${update}'`);
}

async function wholeUpdate(images: LabImages, ready: BoardState): Promise<number> {
  await using board = await Board.resume(images, ready);
  const started = performance.now();
  await startUpdate(board);
  await board.nextBoot();
  await waitForVerdict(board);
  expect(await told(board)).toMatchObject({ version: updated, state: 'committed' });
  return Math.round(performance.now() - started);
}

async function cutAt(images: LabImages, ready: BoardState, atMs: number): Promise<LabCut> {
  await using board = await Board.resume(images, ready);
  await startUpdate(board);
  await Bun.sleep(atMs);
  const fellInto = board.console().includes('Booting slot B') ? 'trial' : 'install';
  await board.cutPower();
  const started = performance.now();
  try {
    await board.powerOn();
    await board.nextBoot();
    await waitForVerdict(board);
    const recoverySeconds = Math.round((performance.now() - started) / 100) / 10;
    const end = await endOf(board);
    await proveNextUpdate(board);
    return { atMs, fellInto, end, recoverySeconds };
  } catch (error) {
    return {
      atMs,
      fellInto,
      end: error instanceof Error ? error.message : String(error),
      recoverySeconds: 0,
    };
  }
}

async function endOf(board: Board): Promise<'before' | 'after'> {
  const { version, booted, primary } = await told(board);
  const { notes: kept, schema } = await data(board);
  const answer = await health(board);
  const slot = await bootedSlot(board);
  expect(kept).toBe(notes);
  expect(answer).toBe('HTTP/1.1 200 OK');
  expect(primary).toBe(booted);
  const before = `${factoryVersion} A 1`;
  const after = `${updated} B 2`;
  expect(`${version} ${slot} ${schema}`).toBe(version === factoryVersion ? before : after);
  return version === factoryVersion ? 'before' : 'after';
}

async function proveNextUpdate(board: Board): Promise<void> {
  await install(board, next);
  await reboot(board);
  await waitForVerdict(board);
  expect(await told(board)).toMatchObject({ version: next, state: 'committed' });
  expect((await data(board)).notes).toBe(notes);
}
