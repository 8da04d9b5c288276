import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { Failure } from '../../system/failure.ts';
import type { CommandResult } from '../../system/process/command.ts';
import { sha256Of } from '../format/file-digest.ts';
import { type Bootname, chooseBoot } from './boot-choice.ts';
import type { BootEnvironment } from './boot-environment.ts';
import { bootedEnvironment, type Environment, type RunOptions, runBooted } from './booted-system.ts';
import type { Partitions } from './disk.ts';
import { clearDevice } from './leftovers.ts';
import { canMountReadOnly, unmountBelow, withMounted } from './mount.ts';
import { endProcesses } from './processes.ts';
import { startRauc } from './rauc-service.ts';
import { isRebootRequested, resetUnits, type ServiceOptions, writeService } from './services.ts';

export interface Boot {
  booted: Bootname;
  /** True if no attempt was left, so that the boot script gave new ones. */
  refilled: boolean;
  /** Slots that were tried first but have nothing that can be mounted; each try has used up an attempt. */
  unbootable: Bootname[];
}

interface Parts {
  folder: string;
  partitions: Partitions;
  bootEnvironment: BootEnvironment;
  bus: Bun.Subprocess;
  extra: Environment | undefined;
  signal: AbortSignal | undefined;
}

const shutdownGraceMs = 10_000;
const mostBootTries = 8;

export class EmbeddedDevice implements AsyncDisposable {
  readonly folder: string;
  readonly dataFolder: string;
  /** Where the booted slot is mounted, read-only. */
  readonly rootFolder: string;
  /** First on PATH: the stand-ins and shims, and programs that a test puts in their place. */
  readonly binFolder: string;
  /** `hang-VERB` and `fail-VERB` files here make systemctl hang or fail (`run` for systemd-run). */
  readonly unitsFolder: string;
  readonly partitions: Partitions;
  readonly #parts: Parts;
  #booted: Bootname = 'A';
  #environment: Environment = {};
  #cleared: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.folder = parts.folder;
    this.dataFolder = `${parts.folder}/data`;
    this.rootFolder = `${parts.folder}/root`;
    this.binFolder = `${parts.folder}/bin`;
    this.unitsFolder = `${parts.folder}/units`;
    this.partitions = parts.partitions;
  }

  get booted(): Bootname {
    return this.#booted;
  }

  /** The environment of a service on the booted system; its boot id is new at each boot. */
  get environment(): Environment {
    return this.#environment;
  }

  rauc(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return this.run('rauc', args, options);
  }

  run(program: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return runBooted(this.#environment, program, args, { signal: this.#parts.signal, ...options });
  }

  bootEnvironment(): Promise<Record<string, string>> {
    return this.#parts.bootEnvironment.read();
  }

  setBootVariable(name: string, value: string): Promise<void> {
    return this.#parts.bootEnvironment.write({ [name]: value });
  }

  /** The sha256 of all bytes of the slot. */
  slotBytes(bootname: Bootname): Promise<string> {
    return sha256Of(this.#slotDevice(bootname));
  }

  /**
   * Never writes to the slot. The booted slot is not mounted twice: RAUC 1.8 stops its search through all mounts at a
   * device that it meets twice.
   */
  async withSlotMounted<T>(bootname: Bootname, work: (folder: string) => T | Promise<T>): Promise<T> {
    if (bootname === this.#booted) return work(this.rootFolder);
    return withMounted(this.#slotDevice(bootname), this.folder, work);
  }

  addService(name: string, argv: readonly string[], options: ServiceOptions = {}): void {
    writeService(this.unitsFolder, name, argv, options);
  }

  rebootRequested(): boolean {
    return isRebootRequested(this.unitsFolder);
  }

  /** Shuts down, with or without time for a clean end, and boots the slot that the boot script chooses. Throws a Failure. */
  async reboot(how: 'orderly' | 'power-cut' = 'orderly'): Promise<Boot> {
    const graceMs = how === 'orderly' ? shutdownGraceMs : 0;
    await endProcesses(this.folder, { graceMs, keep: [this.#parts.bus.pid] });
    await unmountBelow(this.folder, [this.dataFolder]);
    const boot: Boot = { booted: this.#booted, refilled: false, unbootable: [] };
    for (let tries = 0; tries < mostBootTries; tries += 1) {
      const choice = chooseBoot(await this.bootEnvironment());
      await this.#parts.bootEnvironment.write(choice.save);
      boot.refilled ||= choice.refilled;
      boot.booted = choice.bootname;
      if (await canMountReadOnly(this.#slotDevice(choice.bootname), this.rootFolder)) {
        await this.start(choice.bootname);
        return boot;
      }
      boot.unbootable.push(choice.bootname);
    }
    throw new Failure(`Cannot boot the device "${this.folder}": no slot that is listed can be mounted`);
  }

  /** Starts the booted system: a new boot id, an empty run folder, RAUC's service. Only for `createDevice` and `reboot`. */
  async start(bootname: Bootname): Promise<void> {
    const { folder, extra, signal } = this.#parts;
    this.#booted = bootname;
    this.#environment = bootedEnvironment({ folder, bootId: randomUUID(), extra });
    rmSync(`${folder}/run`, { recursive: true, force: true });
    mkdirSync(`${folder}/run`);
    resetUnits(this.unitsFolder, this.#environment);
    await startRauc(folder, this.#environment, bootname, signal);
  }

  #slotDevice(bootname: Bootname): string {
    return this.partitions[bootname === 'A' ? 'rootfs-a' : 'rootfs-b'];
  }

  /** Removes everything from this machine, also the folder. A second call does nothing, unless the first one failed. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#cleared ??= clearDevice(this.folder).catch((error: unknown) => {
      this.#cleared = undefined;
      throw error;
    });
    return this.#cleared;
  }
}
