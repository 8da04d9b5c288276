import { mkdirSync, readFileSync } from 'node:fs';
import { readEnd, readJob } from '../../../shared/api/job.ts';
import { nativeHook } from '../build/native-programs.ts';
import { statusJson } from '../scene/rauc-status.ts';
import { Scene } from '../scene/scene.ts';
import { until } from '../until.ts';

/** A device whose API runs as a process, as compiled: 1.0.0 in rootfs.0, and a bundle of 1.1.0 in the bundle folder. */
export class ApiStage extends Scene implements AsyncDisposable {
  readonly bundles = this.at('data/bundles');
  #service: Service | undefined;

  constructor() {
    super();
    this.usual['api_listen'] = '127.0.0.1:0';
    this.usual['api_token_file'] = this.at('data/update/api.token');
    this.usual['bundle_folder'] = this.bundles;
    this.usual['reserve_mib'] = 0;
    this.configure();
    mkdirSync(this.at('data/update'));
    this.write('data/bundles/new.raucb', 'a bundle');
    this.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
    this.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
    this.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
    this.write('rauc-status.json', statusJson({ booted: 'rootfs.0', versions: { 'rootfs.1': '0.9.0' } }));
    this.write('rauc-install.sh', installScript);
    this.fake('systemd-run', systemdRun);
  }

  /** Starts it, the one before ended, and answers once it listens. */
  async serve(options: { env?: Record<string, string>; without?: readonly string[] } = {}): Promise<Service> {
    await this.#service?.stop();
    for (const tool of options.without ?? []) this.fake(tool, 'exit 1');
    const service = new Service(this, options.env ?? {});
    this.#service = service;
    await service.isListening();
    return service;
  }

  get token(): string {
    return this.read('data/update/api.token').trim();
  }

  /** How often RAUC was asked to install. */
  get installs(): number {
    return this.calls().filter((call) => call.startsWith('rauc install ')).length;
  }

  /** RAUC continues only when the test allows it. */
  holdInstall(): void {
    this.write('hold-install', '');
  }

  letInstall(): void {
    this.remove('hold-install');
  }

  /** What the next `update.sh cancel` ends with, in place of what it would do. */
  cancelEndsWith(exitCode: number, lastLine: string): void {
    this.write('cancel-end', JSON.stringify({ program: 'update.sh', exitCode, lastLine }));
  }

  async jobEnded(): Promise<void> {
    await until(() => {
      const job = readJob(this.places);
      return job !== undefined && readEnd(job, this.places) !== undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.letInstall();
    await this.#service?.stop();
    const job = readJob(this.places);
    if (job !== undefined && this.installs > 0) await this.jobEnded();
    this[Symbol.dispose]();
  }
}

export class Service {
  readonly #child: Bun.Subprocess<'ignore', 'ignore', 'pipe'>;
  readonly #stage: ApiStage;
  readonly #ended: Promise<void>;
  #said = '';

  constructor(stage: ApiStage, env: Record<string, string>) {
    this.#stage = stage;
    this.#child = Bun.spawn([nativeHook, 'update.sh', 'serve'], {
      cwd: '/',
      env: { ...stage.programEnv, ...env },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    });
    this.#ended = this.#listen();
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of this.#child.stderr) this.#said += decoder.decode(piece, { stream: true });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** All that it has said on stderr. */
  get said(): string {
    return this.#said;
  }

  get peakMiB(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  async isListening(): Promise<void> {
    await until(() => this.#said.includes('Listening on') || this.#child.exitCode !== null);
    if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.#said}`);
  }

  get url(): string {
    return (/Listening on "(http:[^"]+)\/"/.exec(this.#said)?.[1] ?? '').replace(/\/$/, '');
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, init);
  }

  /** With the token, unless other headers are given. */
  post(path: string, body?: unknown, headers: Record<string, string> = this.authorized): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  get authorized(): Record<string, string> {
    return { Authorization: `Bearer ${this.#stage.token}` };
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    await this.#child.exited;
    await this.#ended;
    return this.#child.exitCode;
  }
}

export const api = '/api/v1/update';

const installScript = `echo ' 20% Checking bundle'
while [ -e hold-install ]; do sleep 0.02; done
echo ' 90% Copying image to rootfs.1'`;

/** A service of its own, in a clean environment, that outlives who asked for it: as systemd does it. */
const systemdRun = `variables=
while [ $# -gt 0 ]; do
  case $1 in
    --setenv=HOMIE_TRACE=*) variables="$variables \${1#--setenv=}" end=\${1#--setenv=HOMIE_TRACE=} ;;
    --setenv=*) variables="$variables \${1#--setenv=}" ;;
    --) shift; break ;;
  esac
  shift
done
case "$*" in *' cancel') if [ -e cancel-end ]; then cp cancel-end "$end" && exit; fi ;; esac
setsid --fork env -i PATH="$PATH" $variables "$@" < /dev/null > /dev/null 2>&1`;
