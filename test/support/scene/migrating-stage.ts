import { isAnyAliveIn } from '../processes.ts';
import { sick } from '../servers/health-server.ts';
import { until } from '../until.ts';
import { BootStage } from './boot-stage.ts';
import { MigratingStack } from './migrating-stack.ts';
import { transactionAt } from './transactions.ts';

/** A device whose update brings a new schema: 0001 in rootfs.0, 0002 in rootfs.1. */
export class MigratingStage extends BootStage {
  readonly stack = new MigratingStack(this, '0002');

  /** The first boot of the new version, held as post-install has left it. */
  bootNew(): void {
    this.leaveUpdate(transactionAt('installed'));
    this.rebootInto('rootfs.1');
  }

  /** The next boot with the same data: what systemd and Docker start by themselves runs. */
  rebootInto(booted: 'rootfs.0' | 'rootfs.1'): void {
    this.bootInto({ booted });
    this.stack.head = booted === 'rootfs.1' ? '0002' : '0001';
    this.stack.runAll();
    this.health.answer = () => new Response('ok');
  }

  /** Power fails while the new version is asked how it is. */
  async cutAtHealth(): Promise<void> {
    const reached = Promise.withResolvers<void>();
    this.health.answer = () => {
      reached.resolve();
      return sick();
    };
    this.configure({ health_deadline_seconds: 600 });
    await this.postActivate({
      whileRunning: async (process) => {
        await reached.promise;
        process.kill('SIGKILL');
      },
    });
    // Another check of the health may have begun: what it calls ends by itself, and is no call of the next boot.
    await until(() => !isAnyAliveIn(this.path));
    this.configure();
  }
}
