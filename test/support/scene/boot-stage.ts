import { rmSync } from 'node:fs';
import { holdNextBoot } from '../../../shared/update/transaction/hold.ts';
import type { Transaction } from '../../../shared/update/transaction/transaction.ts';
import { HealthServer } from '../servers/health-server.ts';
import { writeTransaction } from './by-hand.ts';
import { type StatusOptions, statusJson } from './rauc-status.ts';
import { type Ended, Scene, type StartOptions } from './scene.ts';

/** A device that boots, and post-activate in it: 1.0.0 in rootfs.0, the update to 1.1.0 in rootfs.1. */
export class BootStage extends Scene implements AsyncDisposable {
  readonly health = new HealthServer();

  constructor() {
    super();
    this.usual['health_url'] = this.health.url;
    this.usual['health_deadline_seconds'] = 1;
    this.configure();
  }

  /** The slot that comes up, with all that the boot before has left on the data partition. */
  bootInto(options: StatusOptions): void {
    this.write('rauc-status.json', statusJson(options));
    const version = options.booted === 'rootfs.1' ? '1.1.0' : '1.0.0';
    this.write('root/usr/lib/homie/release', `VERSION=${version}\n`);
    this.boot();
  }

  /** What post-install and the reboot leave: the update as it stands, and the next boot held. */
  leaveUpdate(transaction: Transaction): void {
    writeTransaction(this.places, transaction);
    holdNextBoot(this.places);
    rmSync(this.at('run/released'));
  }

  /** By a clock that only pauses move, where the test does not say otherwise: none waits for others. */
  postActivate(options: StartOptions = {}, ...args: string[]): Promise<Ended> {
    return this.run(['post-activate', ...args], {
      ...options,
      env: { HOMIE_CLOCK: 'paused', ...options.env },
    });
  }

  /** RAUC answers, but can mark nothing. */
  breakMarks(words = ''): void {
    this.fake(
      'rauc',
      `case "$2" in --detailed) cat rauc-status.json;; *) echo "${words}" >&2; exit 1;; esac`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.health[Symbol.asyncDispose]();
  }
}

export const asked = {
  status: 'rauc status --detailed --output-format=json',
  isActive: 'systemctl is-active homie-orchestrator',
  start: 'systemctl start --no-block homie-orchestrator',
  stop: 'systemctl stop homie-orchestrator',
  markGood: 'rauc status mark-good booted',
  keepSlot: 'rauc status mark-active booted',
  leaveSlot: 'rauc status mark-active other',
  reboot: 'systemctl --no-block reboot',
} as const;
