import { existsSync } from 'node:fs';
import { nativeHook } from '../build/native-programs.ts';
import { runCommand } from '../run-command.ts';
import { writeTransaction } from './by-hand.ts';
import { MigratingStage } from './migrating-stage.ts';
import { statusJson } from './rauc-status.ts';
import { bootId, type Ended, reasonIn, type StartOptions } from './scene.ts';
import { transactionAt } from './transactions.ts';

export const composeFile = 'opt/homie_orchestrator/docker-compose.yml';
export const updateProgram = 'root/opt/homie_orchestrator/scripts/update.sh';

/** 1.0.0 runs in rootfs.0, RAUC has written 1.1.0 into rootfs.1, and post-install is to migrate before the reboot. */
export class EarlyStage extends MigratingStage {
  constructor() {
    super();
    this.usual['migrate_in'] = 'post-install';
    this.configure();
    this.rebootInto('rootfs.0');
    this.stack.head = '0002';
    this.write(`slot/${composeFile}`, '');
    this.write(updateProgram, `#!/bin/sh\nexec '${nativeHook}' update.sh "$@"\n`, 0o755);
    this.setPrimary('rootfs.0');
    writeTransaction(this.places, transactionAt('installing', { bootId }));
  }

  /** Which slot RAUC has made the primary one; while it installs, the target is out of the boot order. */
  setPrimary(primary: 'rootfs.0' | 'rootfs.1'): void {
    const bad = primary === 'rootfs.0' ? ['rootfs.1'] : [];
    this.write('rauc-status.json', statusJson({ booted: 'rootfs.0', primary, bad }));
  }

  postInstall(options: StartOptions = {}, ...args: string[]): Promise<Ended> {
    return this.run(['slot-post-install', ...args], {
      ...options,
      env: { ...this.slotHookEnv, ...options.env },
    });
  }

  /** What systemd was told to run beside us, run now: it waits for the lock by itself. */
  async letStandByRun(): Promise<Ended> {
    const call = this.calls().findLast((line) => line.startsWith('systemd-run ')) ?? '';
    const [options = '', words = ''] = call.split(' -- ');
    const variables = [...options.matchAll(/--setenv=(\S+)/g)].map(([, pair = '']) => pair.split('='));
    const { PATH = '' } = this.programEnv;
    const env = { ...Object.fromEntries(variables), PATH, HOMIE_BOOT_ID: bootId };
    const ended = await runCommand(words.split(' '), { env });
    return { ...ended, reason: reasonIn(ended.stderr) };
  }

  /** The migration begins, and does not continue before `letUpgrade`. */
  holdUpgrade(): void {
    this.write('stack/cut-upgrade', '');
  }

  get isUpgrading(): boolean {
    return existsSync(this.at('stack/is-cut'));
  }

  letUpgrade(): void {
    this.remove('stack/cut-upgrade');
  }
}
