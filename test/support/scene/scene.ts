import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Places } from '../../../shared/system/places.ts';
import { parseTransaction, type Transaction } from '../../../shared/update/transaction/transaction.ts';
import { nativeHook } from '../build/native-programs.ts';
import { type CommandEnd, runCommand } from '../run-command.ts';
import { TempFolder } from '../temp-folder.ts';

/** A device in a folder, on which a program runs as compiled: its places, a mounted bundle and slot, fake tools. */

export interface Ended extends CommandEnd {
  /** What RAUC would show: the last line on stderr. */
  reason: string;
}

export interface StartOptions {
  env?: Record<string, string | undefined>;
  /** The name it is called under, in place of `hook`. */
  calledAs?: string;
  /** `kill@…`: where power fails, by the fault points. */
  fault?: string;
  /** On a terminal, whose screen is then its stdout. */
  isOnTerminal?: boolean;
  /** What it reads; nothing where it is not given. */
  stdin?: Blob | Response;
  /** Called for the process once it runs. */
  whileRunning?: (process: Bun.Subprocess) => Promise<void>;
}

export type Setting = string | number | boolean | readonly (string | Readonly<Record<string, Setting>>)[];

export const bootId = 'this-boot';

export class Scene extends TempFolder {
  readonly places: Places = { data: this.at('data'), root: this.at('root'), run: this.at('run') };
  readonly bundle = this.at('bundle');
  readonly slot = this.at('slot');
  /** What every config of this scene says, unless the test says otherwise. */
  readonly usual: Record<string, Setting> = { settle_seconds: 1 };

  constructor() {
    super();
    for (const name of ['data/config', 'data/backups', 'root', 'run', 'bundle/update-hooks', 'slot', 'bin'])
      mkdirSync(this.at(name), { recursive: true });
    this.writeBundle();
    this.write('data/config/settings.json', '{}\n');
    this.write('bundle/rootfs.ext4', 'image');
    this.fake('systemctl', systemctl);
    this.fake('systemd-run', '');
    this.fake('rauc', rauc);
    this.fake('shutdown', shutdown);
    this.write('bin/busctl', `#!/bin/sh\ncd '${this.path}'\n${busctl}`, 0o755);
    // No call that is worth noting: the clock is right.
    this.write('bin/timedatectl', '#!/bin/sh\necho "System clock synchronized: yes"\n', 0o755);
  }

  /** Writes what RAUC and the programs read of a bundle. */
  writeBundle({ compatible = 'jetson-nano-homie', version = '1.1.0' } = {}): void {
    this.write(
      'bundle/manifest.raucm',
      `[update]\ncompatible=${compatible}\nversion=${version}\n\n[image.rootfs]\nfilename=rootfs.ext4\n`,
    );
  }

  /** The orchestrator's config: our part, and where backups go. */
  configure(update: Record<string, Setting> = {}, backupPath = this.at('data/backups')): void {
    const lines = Object.entries({ ...this.usual, ...update }).map(
      ([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`,
    );
    this.write(
      'data/config/orchestrator.yaml',
      `orchestrator:\n  storage:\n    backup_path: ${backupPath}\nupdate:\n${lines.join('')}`,
    );
  }

  /** What RAUC adds to the environment of its slot hooks. */
  get slotHookEnv(): Record<string, string> {
    return {
      RAUC_SYSTEM_COMPATIBLE: 'jetson-nano-homie',
      RAUC_BUNDLE_MOUNT_POINT: this.bundle,
      RAUC_MOUNT_PREFIX: this.path,
      RAUC_SLOT_NAME: 'rootfs.1',
      RAUC_SLOT_BOOTNAME: 'B',
      RAUC_SLOT_MOUNT_POINT: this.slot,
    };
  }

  /** A tool of that name, first on PATH: it notes the call, hangs or fails as told, and does what the body says. */
  fake(name: string, body: string): void {
    const script = `#!/bin/sh
cd '${this.path}'
echo "${name} $*" >> calls
if [ -e "hang-${name}-$1" ]; then sleep 60 & echo $! > hanging; wait; fi
if [ -e "fail-${name}-$1" ]; then cat "fail-${name}-$1" >&2; exit 1; fi
${body}
`;
    this.write(`bin/${name}`, script, 0o755);
  }

  /** What the fakes were called with, oldest first. */
  calls(): string[] {
    return existsSync(this.at('calls')) ? this.read('calls').trim().split('\n') : [];
  }

  /** The same, where what is asked again and again until it is so counts once. */
  distinctCalls(): string[] {
    return this.calls().filter((call, index, all) => call !== all[index - 1]);
  }

  get isUnitActive(): boolean {
    return existsSync(this.at('unit-active'));
  }

  /** Whether the next boot is held. */
  get isHeld(): boolean {
    return existsSync(this.at('data/update/hold'));
  }

  /** Whether this boot is released from the hold. */
  get isReleased(): boolean {
    return existsSync(this.at('run/released'));
  }

  /** A boot up to where post-activate begins: nothing that ran, /run empty, and systemd starts what it may. */
  boot(): void {
    for (const name of ['unit-active', 'run', 'calls'])
      rmSync(this.at(name), { recursive: true, force: true });
    mkdirSync(this.at('run'));
    if (!this.isHeld) this.write('unit-active', '');
  }

  transaction(): Transaction {
    return parseTransaction(JSON.parse(this.read('data/update/transaction.json')));
  }

  states(): string[] {
    return this.transaction().steps.map(({ state }) => state);
  }

  /** Ours for a moment: what is called in this process finds the fakes. */
  async withTools<T>(work: () => Promise<T>): Promise<T> {
    const path = process.env['PATH'];
    process.env['PATH'] = `${this.at('bin')}:${path}`;
    try {
      return await work();
    } finally {
      process.env['PATH'] = path;
    }
  }

  /** Runs a program as systemd and RAUC do: no HOME, no SHLVL, nothing of ours. */
  async run(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
    const { calledAs, fault, env, isOnTerminal = false, ...rest } = options;
    const words = [nativeHook, ...args];
    const onTerminal = ['script', '-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null'];
    const ended = await runCommand(isOnTerminal ? onTerminal : words, {
      cwd: '/',
      ...(calledAs === undefined ? {} : { argv0: calledAs }),
      env: { ...this.programEnv, HOMIE_FAULT: fault, ...env },
      ...rest,
    });
    return { ...ended, reason: reasonIn(ended.stderr) };
  }

  /** Of a program that runs on this device. */
  get programEnv(): Record<string, string> {
    return {
      PATH: `${this.at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOMIE_DATA: this.places.data,
      HOMIE_ROOT: this.places.root,
      HOMIE_RUN: this.places.run,
      HOMIE_BOOT_ID: bootId,
      // A short program never uses again what it would compile on the way.
      BUN_JSC_useBaselineJIT: '0',
    };
  }
}

/** What RAUC would show of it. */
export function reasonIn(stderr: string): string {
  return stderr.trimEnd().split('\n').at(-1) ?? '';
}

/** Every path below the folder with kind, mode and content, times left out. */
export function treeOf(folder: string): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    const content = stat.isSymbolicLink() ? readlinkSync(path) : stat.isFile() ? sha256(path) : '';
    tree[name] = `${(stat.mode & 0o177777).toString(8)} ${content}`;
  }
  return tree;
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** A start does nothing, and is no failure, where the unit's conditions do not hold. */
const systemctl = `case "$1" in
  is-active) if [ -e unit-active ]; then echo active; else echo inactive; exit 3; fi ;;
  stop) case "$2" in *.timer|*.service) ;; *) rm -f unit-active ;; esac ;;
  start) if [ ! -e data/update/hold ] || [ -e run/released ]; then touch unit-active; fi ;;
esac`;

/** systemd-logind in one file: what it answers when it is asked for the shutdown that is scheduled. Asking is no call. */
const busctl = `if [ -e no-logind ]; then echo 'Call failed: Unit dbus-org.freedesktop.login1.service not found.' >&2; exit 1; fi
if [ -e scheduled ]; then cat scheduled; else echo '(st) "" 0'; fi`;
const shutdown = `case "$1" in
  -r) echo "(st) \\"reboot\\" 1767323045000000" > scheduled ;;
  -c) rm -f scheduled ;;
esac`;

/** Answers from files beside it; without one it is as if its service were not there. */
const rauc = `answer() { if [ -e "$1" ]; then cat "$1"; else echo "rauc: no service" >&2; exit 1; fi; }
case "$1 $2" in
  "status --detailed") answer rauc-status.json ;;
  "status mark-"*) answer rauc-status.json > /dev/null ;;
  "info "*) answer rauc-info.json ;;
  "install "*) . ./rauc-install.sh ;;
esac`;
