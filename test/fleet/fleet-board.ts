import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevice } from '../../shared/packaging/device/device.ts';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { addOrchestrator } from '../../shared/packaging/simulator/orchestrator.ts';
import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { transactionOf } from '../rig/board.ts';
import type { Setting } from '../support/scene/scene.ts';
import type { FleetWorkshop } from './workshop.ts';

/** One board of the fleet: the embedded device, its orchestrator, and the agent as a service of it. */
export class FleetBoard implements AsyncDisposable {
  readonly id: string;
  readonly device: EmbeddedDevice;
  readonly #workshop: FleetWorkshop;
  #agent: Bun.Subprocess | undefined;

  private constructor(id: string, device: EmbeddedDevice, workshop: FleetWorkshop) {
    this.id = id;
    this.device = device;
    this.#workshop = workshop;
  }

  static async start(
    id: string,
    workshop: FleetWorkshop,
    { url, token, config = {} }: { url: string; token: string; config?: Record<string, Setting> },
  ): Promise<FleetBoard> {
    const device = await createDevice({
      folder: mkdtempSync(join(tmpdir(), 'homie-fleet-board-')),
      keyringPath: workshop.keys.keyringPath,
      rootfsImage: workshop.factoryRootfs,
    });
    const board = new FleetBoard(id, device, workshop);
    addOrchestrator(device);
    const { exitCode } = await device.run('systemctl', ['start', 'homie-orchestrator']);
    if (exitCode !== 0) throw new Error('the orchestrator does not start');
    board.writeToken(token);
    board.configure({
      fleet_url: url,
      fleet_controller_id: id,
      fleet_target_token_file: board.#tokenFile,
      reboot: 'now',
      ...config,
    });
    return board;
  }

  get #tokenFile(): string {
    return join(this.device.dataFolder, 'target.token');
  }

  writeToken(token: string): void {
    writeFileSync(this.#tokenFile, `${token}\n`, { mode: 0o600 });
  }

  configure(config: Record<string, Setting>): void {
    const lines = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
    appendFileSync(join(this.device.dataFolder, 'config', 'orchestrator.yaml'), lines.join(''));
  }

  /** As its unit does; with a fault it dies where that says. */
  startAgent(env: Record<string, string> = {}, programs = this.#workshop.programs): void {
    this.#agent = Bun.spawn([join(programs, 'update.sh'), 'agent'], {
      cwd: '/',
      env: { ...this.device.environment, ...env },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: Bun.file(join(this.device.folder, 'agent.log')),
    });
  }

  /** How it ended: a number, or the signal. */
  async agentEnded(): Promise<number | string | null> {
    await this.#agent?.exited;
    return this.#agent?.signalCode ?? this.#agent?.exitCode ?? null;
  }

  async stopAgent(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#agent?.kill(signal);
    await this.#agent?.exited;
  }

  /** Of memory so far; an emulated one has its emulator's among it. */
  get agentPeakMiB(): number {
    const status = readFileSync(`/proc/${this.#agent?.pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  get said(): string {
    const file = join(this.device.dataFolder, 'logs', 'update.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** The stage of the action that the device is at. */
  get stage(): string | undefined {
    const file = join(this.device.dataFolder, 'update', 'fleet-action.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).stage : undefined;
  }

  get state(): string {
    return stateOf(transactionOf(this.device));
  }

  get isRebootScheduled(): boolean {
    return existsSync(join(this.device.unitsFolder, 'state', 'scheduled'));
  }

  /** Anything of a bundle. */
  get hasDownload(): boolean {
    const folder = join(this.device.dataFolder, 'update', 'download');
    return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('bundle.raucb'));
  }

  /** When the log first said these words, in milliseconds. */
  timeOf(words: string): number {
    const line = this.said.split('\n').find((one) => one.includes(words));
    return Date.parse(line?.split(' ', 1)[0] ?? '');
  }

  /** From its next start on the application ends at once. */
  breakOrchestrator(): void {
    this.device.addService('homie-orchestrator', ['/bin/false']);
    const file = join(this.device.dataFolder, 'config', 'orchestrator.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/health_deadline_seconds: \d+/, 'health_deadline_seconds: 3'));
  }

  /** In place of the target's own. */
  useGatewayToken(token: string): void {
    const file = join(this.device.dataFolder, 'gateway.token');
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    const config = join(this.device.dataFolder, 'config', 'orchestrator.yaml');
    const text = readFileSync(config, 'utf8').replace(/^ *fleet_target_token_file:.*\n/m, '');
    writeFileSync(config, `${text}  fleet_gateway_token_file: ${file}\n`);
  }

  /** Until the agent asks for the reboot; then the board goes down and comes up, and post-activate decides. */
  async rebootAsAsked(): Promise<void> {
    await this.waitFor('the reboot', () => existsSync(join(this.device.unitsFolder, 'state', 'scheduled')));
    await this.boot();
  }

  async boot(how: 'orderly' | 'power-cut' = 'orderly'): Promise<string> {
    await this.stopAgent(how === 'orderly' ? 'SIGTERM' : 'SIGKILL');
    const { booted } = await this.device.reboot(how);
    await this.device.run('systemctl', ['start', 'homie-orchestrator']);
    await this.postActivate();
    return booted;
  }

  /** The factory's slot carries no programs of ours: those of the workshop stand in. */
  async postActivate(): Promise<void> {
    const own = join(this.device.rootFolder, 'usr/lib/homie/update-hooks/post-activate');
    const program = existsSync(own) ? own : join(this.#workshop.programs, 'post-activate');
    await this.device.run(program, [], { deadlineMs: 180_000 });
  }

  async run(...args: string[]) {
    return await this.device.run(join(this.#workshop.programs, 'update.sh'), args, { deadlineMs: 120_000 });
  }

  /** With the agent's own words where it is in vain. */
  async waitFor(what: string, holds: () => boolean | Promise<boolean>, ms = 300_000): Promise<void> {
    const end = performance.now() + ms;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`${what} did not come: ${this.said.slice(-3000)}`);
      await Bun.sleep(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent('SIGKILL');
    await this.device[Symbol.asyncDispose]();
  }
}
