import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Subprocess } from 'bun';
import { endsWithUs } from '../../support/ends-with-us.ts';
import { until } from '../../support/until.ts';
import { uBoot, writeUBootWithoutCountdown } from './firmware.ts';
import { untilListening } from './listening.ts';
import type { Processors } from './processors.ts';
import { Qmp } from './qmp.ts';
import { Shell } from './shell.ts';
import { startVolatileCache, type VolatileCache } from './volatile-cache.ts';

export interface MachineWish {
  /** The card's server, a socket. */
  card: string;
  bundles: string;
  healthPort: number;
  /** Of this machine: the board finds it at 10.0.2.100:80. */
  webPort: number;
  memoryMiB: number;
  processors: Processors;
  /** The saved memory of another machine, from which this one resumes. */
  memory?: string | undefined;
  /** What the hardware's clock says at power on, ISO 8601; else the time. */
  clock?: string | undefined;
}

/** The emulated board under power: QEMU, and before its card a cache that forgets what was not flushed. */
export class Machine {
  readonly shell: Shell;
  readonly qmp: Qmp;
  readonly #qemu: Subprocess;
  readonly #cache: VolatileCache;

  private constructor(parts: { shell: Shell; qmp: Qmp; qemu: Subprocess; cache: VolatileCache }) {
    this.shell = parts.shell;
    this.qmp = parts.qmp;
    this.#qemu = parts.qemu;
    this.#cache = parts.cache;
  }

  /** Resolves when it has power; the console goes to `console.log` in the folder, after what is there. */
  static async start(folder: string, wish: MachineWish): Promise<Machine> {
    const at = (name: string): string => join(folder, name);
    for (const name of ['qmp.socket', 'shell.socket']) rmSync(at(name), { force: true });
    const cache = await startVolatileCache(at('disk.socket'), wish.card);
    const memory = wish.memory === undefined ? [] : ['-incoming', `exec:cat ${wish.memory}`];
    const { hasCountdown } = wish.processors;
    const firmware = hasCountdown ? uBoot : writeUBootWithoutCountdown(at('u-boot.bin'));
    const log = openSync(at('console.log'), 'a');
    const qemu = Bun.spawn(
      [
        ...endsWithUs,
        'qemu-system-aarch64',
        ...hardware(wish, firmware),
        ...drives(cache.url, wish.bundles),
        ...network(wish),
        ...lines(at),
        ...(wish.clock === undefined ? [] : ['-rtc', `base=${wish.clock}`]),
        ...memory,
      ],
      {
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    const hasEnded = (): boolean => qemu.exitCode !== null || qemu.signalCode !== null;
    try {
      await untilListening(at('qmp.socket'), hasEnded);
      const qmp = await Qmp.open(at('qmp.socket'));
      await untilListening(at('shell.socket'), hasEnded);
      // Before the board resumes: output without a reader is lost.
      const shell = await Shell.open(at('shell.socket'));
      if (wish.memory !== undefined) await goOn(qmp);
      return new Machine({ qmp, shell, qemu, cache });
    } catch (error) {
      const end = hasEnded() ? `has ended with ${qemu.signalCode ?? qemu.exitCode}` : 'does not answer';
      cache.kill();
      qemu.kill('SIGKILL');
      await Promise.all([qemu.exited, cache.exited]);
      const said = readFileSync(at('console.log'), 'latin1').slice(-2000);
      throw new Error(`qemu ${end}: ${said}`, { cause: error });
    }
  }

  /** Stops, and leaves its memory in the file; its card has all that it wrote. It has no power then. */
  async saveTo(file: string): Promise<void> {
    await this.qmp.run('stop');
    // QEMU is done when the pipe has all of it, and cat only later: the name says when.
    await this.qmp.run('migrate', { uri: `exec:cat >${file}.part && mv ${file}.part ${file}` });
    while (true) {
      const { status } = (await this.qmp.run('query-migrate')) as { status: string }; // QMP reference, MigrationInfo
      if (status === 'completed') break;
      if (status === 'failed') throw new Error('the memory cannot be saved');
      await Bun.sleep(50);
    }
    await this.qmp.run('quit').catch(() => {});
    await this.#qemu.exited;
    await until(() => existsSync(file));
    this.#cache.end();
    await this.#cache.exited;
    this.shell.close();
  }

  /** As if the plug were pulled: what was not flushed is gone. */
  async cutPower(): Promise<void> {
    this.#cache.kill();
    this.#qemu.kill('SIGKILL');
    await Promise.all([this.#qemu.exited, this.#cache.exited]);
    this.shell.close();
  }
}

/** Loads its memory first; then the machine is paused, like the saved board. */
async function goOn(qmp: Qmp): Promise<void> {
  while (true) {
    const { status } = (await qmp.run('query-status')) as { status: string }; // QMP reference, StatusInfo
    if (status !== 'inmigrate') break;
    await Bun.sleep(50);
  }
  await qmp.run('cont');
}

function hardware({ memoryMiB, processors }: MachineWish, firmware: string): string[] {
  return [
    ...['-M', 'virt', '-cpu', processors.model, '-smp', '2', '-m', String(memoryMiB)],
    ...processors.emulation,
    ...['-bios', firmware, '-display', 'none'],
    ...['-device', 'i6300esb,addr=0xa', '-action', 'watchdog=reset'],
  ];
}

/** Addresses, so that the card is the first disk to U-Boot and to Linux. */
function drives(card: string, bundles: string): string[] {
  return [
    ...['-drive', `if=none,id=card,format=raw,cache=writeback,discard=ignore,file=${card}`],
    ...['-device', 'virtio-blk-pci,drive=card,addr=0x8'],
    ...['-drive', `if=none,id=bundles,format=raw,readonly=on,file=${bundles}`],
    ...['-device', 'virtio-blk-pci,drive=bundles,addr=0x9'],
  ];
}

/** Nothing of the world, but a cable: /health can be asked from this machine, and the board may ask one port of it. */
function network({ healthPort, webPort }: MachineWish): string[] {
  const health = `hostfwd=tcp:127.0.0.1:${healthPort}-:8080`;
  const forward = [process.execPath, join(import.meta.dir, 'forward.ts'), webPort].join(' ');
  const web = `guestfwd=tcp:10.0.2.100:80-cmd:${forward}`;
  const cable = `user,id=net,restrict=on,${health},${web}`;
  return ['-netdev', cable, '-device', 'virtio-net-pci,netdev=net,romfile='];
}

function lines(at: (name: string) => string): string[] {
  return [
    ...['-serial', 'stdio', '-monitor', 'none'],
    ...['-qmp', `unix:${at('qmp.socket')},server=on,wait=off`],
    ...['-chardev', `socket,id=shell,path=${at('shell.socket')},server=on,wait=off`],
    ...['-device', 'virtio-serial-pci', '-device', 'virtconsole,chardev=shell'],
  ];
}
