import { type Config, readConfig } from '../config/config.ts';
import { type Slots, slotsIfAnswered } from '../rauc/status.ts';
import { readSystemConf } from '../rauc/system-conf.ts';
import { Failure } from '../system/failure.ts';
import { bootId, logFileOf, type Places } from '../system/places.ts';
import type { Lock } from '../system/process/lock.ts';
import type { Running } from '../system/process/program.ts';
import { UndoStack } from '../system/process/undo.ts';
import { programVersion } from '../system/version.ts';
import { Download } from '../transfer/download/download.ts';
import type { DdiServer } from '../transfer/request/ddi-line.ts';
import { requireStanding } from '../update/admission/admit.ts';
import { downloadFolderOf } from '../update/admission/download-folder.ts';
import { letRaucInstall, verifyBundle } from '../update/install/install-steps.ts';
import { LiveProgress } from '../update/install/live-progress.ts';
import { tailOf } from '../update/report/log-tail.ts';
import { carryOutReboot, rebootPlanOf } from '../update/schedule/reboot-after.ts';
import { readRelease } from '../update/slot/release.ts';
import { answeredSlots } from '../update/transaction/answered-slots.ts';
import { takeFreeUpdaterLock } from '../update/transaction/install-lock.ts';
import { knownTransaction, readHistory, readTransaction } from '../update/transaction/transaction-store.ts';
import { type FleetAction, readAction, writeAction } from './action.ts';
import { attributesOf } from './attributes.ts';
import type { StepFacts } from './decide-step.ts';
import type { Artifact, Deployment } from './deployment.ts';
import type { FleetDevice, InstallEnd, InstallWatch, Watch } from './device.ts';
import {
  closedWindow,
  foundTransaction,
  obstacleOf,
  raucVersion,
  rebootObstacle,
  transactionOf,
} from './device-facts.ts';
import { fetchArtifact } from './fetch-artifact.ts';

const tailLines = 20;
const eachUndoMs = 120_000;

/** This board, with the same download, policy and transaction as update.sh install. */
export class HomieDevice implements FleetDevice {
  readonly #places: Places;
  readonly #running: Running;
  readonly #server: DdiServer;
  #raucVersion: string | undefined;

  constructor(places: Places, running: Running, server: DdiServer) {
    this.#places = places;
    this.#running = running;
    this.#server = server;
  }

  readAction(): FleetAction | undefined {
    return readAction(this.#places);
  }

  writeAction(action: FleetAction): void {
    writeAction(this.#places, action);
  }

  async attributes(): Promise<Record<string, string>> {
    const places = this.#places;
    const slots = await this.#slots();
    this.#raucVersion ??= await raucVersion(this.#running.signal);
    return attributesOf({
      compatible: slots?.compatible ?? readSystemConf(places.root)?.compatible,
      runningVersion: readRelease(places.root),
      slots,
      raucVersion: this.#raucVersion,
      programVersion,
      last: readHistory(places).at(-1),
    });
  }

  async stepFacts(action: FleetAction, offer: Deployment | undefined): Promise<StepFacts> {
    const places = this.#places;
    const config = readConfig(places);
    const now = new Date();
    return {
      transaction: foundTransaction(action, places),
      hasBundle: this.#hasBundle(offer),
      isRaucBusy: await this.#isRaucBusy(),
      obstacle: obstacleOf(places, now),
      installWindow: config.update.installAt === 'any-time' ? undefined : closedWindow(config, now),
      rebootWindow: rebootObstacle(config, now),
      consent: config.update.fleet?.consent ?? 'automatic',
      bootId: bootId(),
    };
  }

  hasVerdict(action: FleetAction): boolean {
    return transactionOf(action, this.#places)?.isClosed === true;
  }

  runningVersion(): string | undefined {
    return readRelease(this.#places.root);
  }

  lastTransaction(): string | null {
    return knownTransaction(readTransaction(this.#places))?.id ?? null;
  }

  discardDownload(): void {
    new Download(downloadFolderOf(this.#places)).discard();
  }

  logTail(): string[] {
    return tailOf(logFileOf(this.#places), tailLines);
  }

  async fetch(artifact: Artifact, { onPercent, signal }: Watch): Promise<void> {
    const { filename } = artifact;
    await this.#locked(filename, async ({ config, progress, running }) => {
      requireStanding(filename, this.#places);
      const both = AbortSignal.any([signal, running.signal]);
      const work = { places: this.#places, config, progress, server: this.#server, onPercent, signal: both };
      await fetchArtifact(artifact, work);
      progress.done('done', `"${filename}" is fetched`);
    });
  }

  async install(
    { artifact, update }: Deployment,
    { onBegin, onPercent, signal }: InstallWatch,
  ): Promise<InstallEnd> {
    const { filename } = artifact;
    const places = this.#places;
    return await this.#locked(filename, async (work) => {
      const { progress } = work;
      requireStanding(filename, places);
      const copy = new Download(downloadFolderOf(places));
      const installWork = {
        ...work,
        places,
        // An operator who assigns a version as forced wants it, even if it was rolled back here before.
        isForced: update === 'forced',
        signal,
        source: filename,
        onProgress: onPercent,
      };
      const { version } = await verifyBundle({ file: copy.path, copy }, installWork);
      if (version === readRelease(places.root)) {
        copy.discard();
        progress.done('done', `Version "${version}" runs already`);
        return { kind: 'runs-already', version };
      }
      onBegin(version);
      await letRaucInstall(copy.path, version, installWork);
      copy.discard();
      progress.done('rebootNeeded', `Version "${version}" is installed, a reboot tries it`);
      return { kind: 'installed' };
    });
  }

  async reboot(version: string): Promise<void> {
    const plan = rebootPlanOf(undefined, readConfig(this.#places), new Date());
    await carryOutReboot(plan, version, this.#running.log);
  }

  /** Another program may have fetched another bundle meanwhile: the device keeps one download at a time. */
  #hasBundle(offer: Deployment | undefined): boolean {
    const side = new Download(downloadFolderOf(this.#places)).read();
    return side?.isWhole === true && side.url === offer?.artifact.url;
  }

  /** Works under the lock of all updates, with an undo stack of its own, because the agent continues afterwards. */
  async #locked<T>(
    source: string,
    work: (parts: { config: Config; progress: LiveProgress; running: Running; lock: Lock }) => Promise<T>,
  ): Promise<T> {
    const { log, signal } = this.#running;
    const undo = new UndoStack();
    const running: Running = { log, undo, signal, allow: () => {} };
    let reason: unknown;
    try {
      const lock = await takeFreeUpdaterLock(this.#places, running);
      undo.owe('release the lock', () => lock.release());
      const progress = new LiveProgress(this.#places, log, source);
      undo.owe('tell the end', (why) => progress.failUnlessDone(why));
      return await work({ config: readConfig(this.#places), progress, running, lock });
    } catch (error) {
      reason = error;
      throw error;
    } finally {
      await undo.unwind(
        reason,
        (what, error) => log.warn(`Cannot undo "${what}": ${String(error)}`),
        eachUndoMs,
      );
    }
  }

  async #slots(): Promise<Slots | undefined> {
    return await slotsIfAnswered(this.#running.signal);
  }

  async #isRaucBusy(): Promise<boolean> {
    try {
      await answeredSlots(this.#running);
      return false;
    } catch (error) {
      if (error instanceof Failure && error.outcome === 'busy') return true;
      throw error;
    }
  }
}
