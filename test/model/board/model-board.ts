import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Transaction } from '../../../shared/update/transaction/transaction.ts';
import {
  knownTransaction,
  readHistory,
  readTransaction,
} from '../../../shared/update/transaction/transaction-store.ts';
import { MigratingStack, type StackParts } from '../../support/scene/migrating-stack.ts';
import { type Ended, Scene, type Setting } from '../../support/scene/scene.ts';
import { HealthServer, sick } from '../../support/servers/health-server.ts';
import {
  type BootEnvironment,
  type Bootname,
  bootOnce,
  environmentText,
  fullAttempts,
  parseEnvironment,
} from './bootloader.ts';
import { fwPrintenv, fwSetenv, install, rauc } from './fake-rauc.ts';
import { copyFolder } from './folder-copy.ts';
import { ModelService } from './model-service.ts';

/**
 * A whole device in a folder: two slots, a boot environment with the reference bootloader's rules, a stack whose
 * database is a line of text, and the compiled programs with their fault points. Power may fail at any step of any.
 */

export interface Version {
  name: string;
  /** What its images migrate to. */
  head: string;
  isSick?: boolean;
  /** The programs lie in its bundle alone, and some of its images; an older timer is enabled in its slot. */
  isBare?: boolean;
}

export interface RunOptions {
  /** `kill@…`, for each run of the program. */
  fault?: string | undefined;
  /** A file that gets the steps. */
  steps?: string | undefined;
  /** The program stops at each of them until it is continued. */
  hasStops?: boolean;
}

/** What sort of board it is. */
export interface Kind {
  settings?: Readonly<Record<string, Setting>>;
  parts?: StackParts;
}

export type InstallFault = 'install-check' | 'pre-install' | 'post-install';
/** Where power fails outside our programs. */
export type PowerFailure = 'before-pre-install' | 'in-write' | 'before-activate' | 'after-activate';

export interface InstallOptions extends RunOptions {
  /** The program that the fault is for. */
  in?: InstallFault;
  power?: PowerFailure | undefined;
}

/** A board as it was once, until it is disposed of. */
export interface SavedBoard extends Disposable {
  folder: string;
  boots: number;
  names: number;
  sick: readonly string[];
}

/** What no program of the board writes. */
const unchanging: readonly string[] = ['bin', 'programs', 'rauc-install.sh'];
const scribbled = 'scribbled';
const programFolder = 'usr/lib/homie/update-hooks';
const composePath = 'opt/homie_orchestrator/docker-compose.yml';
/** What systemd's StartLimitBurst= of homie-post-activate.service allows. */
const mostStarts = 10;
/** So many boots in a row without rest are a loop. */
const mostBoots = 16;

export class ModelBoard extends Scene implements AsyncDisposable {
  readonly health = new HealthServer();
  /** Answers in place of the shelf, where it has an answer. */
  neighbour: ((request: Request) => Promise<Response | undefined>) | undefined;
  readonly #shelf = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) =>
      (await this.neighbour?.(request)) ??
      new Response(Bun.file(this.at(new URL(request.url).pathname.slice(1)))),
  });
  readonly stack: MigratingStack;
  readonly #hook: string;
  #boots = 0;
  #names = 0;
  /** The versions that were made sick. */
  #sick: ReadonlySet<string> = new Set();

  constructor(programs: string, factory: Version, { settings = {}, parts = {} }: Kind = {}) {
    super();
    this.#hook = join(programs, 'hook');
    this.usual['health_url'] = this.health.url;
    // By the clock of the programs, which only pauses move: a busy machine takes nothing of it.
    this.usual['health_deadline_seconds'] = 3;
    this.usual['reserve_mib'] = 1;
    Object.assign(this.usual, settings);
    this.configure();
    this.stack = new MigratingStack(this, factory.head, parts);
    this.fake('rauc', rauc);
    this.fake('fw_printenv', fwPrintenv);
    this.fake('fw_setenv', fwSetenv);
    this.write('rauc-install.sh', install);
    mkdirSync(this.at('programs'));
    for (const name of ['hook', 'update.sh', 'post-activate'])
      linkSync(this.#hook, this.at('programs', name));
    this.#fillSlot('slots/A', factory);
    this.#fillSlot('slots/B', factory);
    this.environment = { order: ['A', 'B'], left: { A: fullAttempts, B: fullAttempts } };
    this.health.answer = () => (this.isServing ? new Response('ok') : sick());
    this.powerOn();
  }

  get environment(): BootEnvironment {
    return parseEnvironment(this.read('boot.env'));
  }

  set environment(environment: BootEnvironment) {
    this.write('boot.env', environmentText(environment));
  }

  get booted(): Bootname {
    return this.read('booted').trim() === 'B' ? 'B' : 'A';
  }

  /** The version in a slot; undefined where an install has not come to its end there. */
  versionIn(name: Bootname): string | undefined {
    if (!existsSync(this.at('slots', name, composePath))) return undefined;
    return /VERSION=(\S+)/.exec(this.#textIn(name, 'usr/lib/homie/release'))?.[1];
  }

  headIn(name: Bootname): string {
    return this.#textIn(name, `${composePath}.head`).trim();
  }

  get revision(): string {
    return this.stack.database.split(' ')[0] ?? '';
  }

  get rows(): string[] {
    return this.stack.database
      .split(' ')
      .slice(1)
      .filter((row) => row !== scribbled);
  }

  /** Whether the slot has our programs whole, and nothing half written beside them. */
  hasPrograms(name: Bootname): boolean {
    const folder = this.at('slots', name, programFolder);
    const isWhole = (file: string): boolean =>
      statSync(join(folder, file), { throwIfNoEntry: false })?.size === statSync(this.#hook).size;
    return (
      ['hook', 'update.sh'].every(isWhole) && !readdirSync(folder).some((file) => file.endsWith('.part'))
    );
  }

  get transactionNow(): Transaction | undefined {
    return knownTransaction(readTransaction(this.places));
  }

  get history(): Transaction[] {
    return readHistory(this.places);
  }

  /** The application serves only where its version is sound and the schema is its own. */
  get isServing(): boolean {
    const version = this.versionIn(this.booted);
    if (!this.isUnitActive || version === undefined || this.#sick.has(version)) return false;
    const head = this.headIn(this.booted);
    if (!this.stack.imagesOf(head).every((image) => this.stack.hasImage(image))) return false;
    if (this.stack.redis !== undefined && this.stack.redis.line?.split(' ')[0] !== head) return false;
    return this.revision === head;
  }

  /** A user of the application: adds a row if the application serves. Returns the row. */
  use(): string | undefined {
    if (!this.isServing) return undefined;
    this.#names += 1;
    const row = `row${this.#names}`;
    this.#write(row);
    return row;
  }

  /** Writes unimportant data into database, redis and configuration. */
  scribble(): void {
    this.#write(scribbled);
    this.write('data/config/settings.json', '{"later":true}\n');
  }

  #write(row: string): void {
    this.stack.database = `${this.stack.database} ${row}`;
    this.stack.redis?.begin(this.stack.database);
  }

  /** The bootloader, the kernel, systemd up to where post-activate begins. */
  powerOn(): void {
    const { booted, environment } = bootOnce(this.environment);
    this.environment = environment;
    this.write('booted', booted);
    for (const name of ['installing', 'scheduled']) this.remove(name);
    this.#boots += 1;
    this.boot();
    this.stack.head = this.headIn(booted);
    this.stack.runAll();
  }

  /** Boots until a boot comes to rest, systemd starting post-activate again where it was killed. */
  async runOn(
    options: RunOptions = {},
    isFaulty: (booted: Bootname) => boolean = () => true,
  ): Promise<number> {
    for (let boots = 1; boots <= mostBoots; boots += 1) {
      const fault = isFaulty(this.booted) ? options.fault : undefined;
      if (!(await this.bootProgram({ ...options, fault }))) return boots;
      this.powerOn();
    }
    return mostBoots + 1;
  }

  /** homie-post-activate.service in this boot. Answers whether the board reboots. */
  async bootProgram(options: RunOptions = {}): Promise<boolean> {
    for (let start = 1; start <= mostStarts; start += 1) {
      const { exitCode } = await this.program('post-activate', [], options);
      if (this.isRebootAsked) return true;
      if (exitCode === 0 || exitCode === 4) return false;
      // systemd tries again what failed for a reason that may pass; here nothing passes by itself.
      if (exitCode !== 137) return false;
      if (options.fault?.startsWith('kill@') && this.isPowerCut) return true;
    }
    // homie-held-reboot.service
    return this.isHeld && (!this.isReleased || existsSync(this.at('run/trial-runs')));
  }

  /** A kill is a power cut rather than the end of one program. */
  isPowerCut = false;

  get isRebootAsked(): boolean {
    return this.calls().includes('systemctl --no-block reboot');
  }

  /** A program as the booted slot has it. */
  async program(name: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return await this.spawn([this.at('programs', name), ...args], variablesOf(options));
  }

  /**
   * A program that waits for other processes until it is stopped. It has the real clock: with a clock that only its
   * pauses move, its loops would ask without a pause, and its waits would be over before another process can answer. What
   * it starts (RAUC's hooks, a job) has the clock of all other programs.
   */
  service(name: string, args: readonly string[], options: RunOptions): ModelService {
    const argv = [this.at('programs', name), ...args];
    return new ModelService(
      Bun.spawn(argv, {
        cwd: this.path,
        env: { ...this.#variables, HOMIE_CLOCK: undefined, ...variablesOf(options) },
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'pipe',
      }),
    );
  }

  /**
   * What systemd was told to do when a program of this boot is gone, done now: the unit is started again, the data is
   * repaired. What was disarmed is not; a reboot forgets all of it.
   */
  async letSystemdAct(): Promise<void> {
    const calls = this.calls();
    for (const [index, call] of calls.entries()) {
      const [, unit, words] = /^systemd-run .*--unit=(\S+) .*?-- (.*)$/.exec(call) ?? [];
      const isDisarmed = calls.slice(index).some((later) => later.startsWith(`systemctl stop ${unit}.`));
      if (unit === undefined || words === undefined || isDisarmed) continue;
      await this.spawn(['/bin/sh', '-c', words], {});
    }
  }

  /** RAUC installs the version into the slot that does not run. */
  async install(version: Version, options: InstallOptions = {}): Promise<Ended> {
    this.offer(version);
    const given: Record<string, string | undefined> = { POWER_FAILS: options.power, ...stopsOf(options) };
    if (options.in !== undefined) {
      const program = options.in.replace('-', '_').toUpperCase();
      given[`FAULT_${program}`] = options.fault;
      given[`STEPS_${program}`] = options.steps;
    }
    return await this.spawn([this.at('bin/rauc'), 'install', 'x.raucb'], given);
  }

  /** Where a file of the board's folder can be fetched from. */
  shelfUrl(path: string): string {
    return new URL(path, this.#shelf.url).href;
  }

  /** What a bundle of the version is made of, for RAUC and for the hooks. */
  offer(version: Version): void {
    this.writeBundle({ version: version.name });
    if (version.isBare) this.#offerMore(version);
    const info = { compatible: 'jetson-nano-homie', version: version.name };
    this.write('rauc-info.json', JSON.stringify(info));
    this.write('x.raucb', 'bundle');
    this.remove('next-slot');
    this.#fillSlot('next-slot', version);
    // post-install writes the name of the release itself.
    rmSync(this.at('next-slot/usr/lib/homie/release'));
    const others = [...this.#sick].filter((name) => name !== version.name);
    this.#sick = new Set(version.isSick ? [...others, version.name] : others);
  }

  /** Half of the images are in the bundle, the others have to be pulled. */
  #offerMore({ head }: Version): void {
    const missing = this.stack.imagesOf(head).filter((image) => !this.stack.hasImage(image));
    this.write('bundle/images/some.tar', `${missing.slice(0, missing.length / 2).join('\n')}\n`);
  }

  /** To be put back to, as often as that is wanted. */
  save(): SavedBoard {
    const folder = mkdtempSync(`${this.path}.`);
    copyFolder(this.path, folder, unchanging);
    return {
      folder,
      boots: this.#boots,
      names: this.#names,
      sick: [...this.#sick],
      [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
    };
  }

  putBack({ folder, boots, names, sick }: SavedBoard): void {
    copyFolder(folder, this.path, unchanging);
    this.#boots = boots;
    this.#names = names;
    this.#sick = new Set(sick);
    this.isPowerCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.health[Symbol.asyncDispose]();
    await this.#shelf.stop(true);
  }

  async spawn(argv: string[], env: Record<string, string | undefined>): Promise<Ended> {
    const child = Bun.spawn(argv, {
      cwd: this.path,
      env: { ...this.#variables, ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    return { exitCode, stdout, stderr, reason: stderr.trimEnd().split('\n').at(-1) ?? '' };
  }

  get #variables(): Record<string, string> {
    return {
      PATH: `${this.at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOMIE_DATA: this.places.data,
      HOMIE_ROOT: this.at('slots', this.booted),
      HOMIE_RUN: this.places.run,
      HOMIE_BOOT_ID: `boot-${this.#boots}`,
      HOMIE_CLOCK: 'paused',
      // Thousands of short programs: what is compiled on the way is never used again.
      BUN_JSC_useBaselineJIT: '0',
    };
  }

  #textIn(name: Bootname, path: string): string {
    const file = join('slots', name, path);
    return existsSync(this.at(file)) ? this.read(file) : '';
  }

  /** The programs lie there as a link: post-install finds them the same, and need not copy 100 MB in each test. */
  #fillSlot(folder: string, { name, head, isBare = false }: Version): void {
    this.write(`${folder}/${composePath}`, '');
    this.write(`${folder}/${composePath}.head`, `${head}\n`);
    this.write(`${folder}/etc/rauc/system.conf`, '[system]\ncompatible=jetson-nano-homie\n');
    this.write(`${folder}/usr/lib/homie/release`, `VERSION=${name}\n`);
    if (isBare) {
      this.write(`${folder}/etc/systemd/system/timers.target.wants/homie-update.timer`, '');
      return;
    }
    mkdirSync(this.at(folder, programFolder), { recursive: true });
    for (const program of ['hook', 'update.sh'])
      linkSync(this.#hook, this.at(folder, programFolder, program));
    mkdirSync(this.at(folder, 'opt/homie_orchestrator/scripts'), { recursive: true });
    linkSync(this.#hook, this.at(folder, 'opt/homie_orchestrator/scripts/update.sh'));
  }
}

function variablesOf(options: RunOptions): Record<string, string | undefined> {
  return { HOMIE_FAULT: options.fault, HOMIE_STEPS: options.steps, ...stopsOf(options) };
}

function stopsOf({ hasStops = false }: RunOptions): Record<string, string> {
  return hasStops ? { HOMIE_STOPS: '1' } : {};
}
