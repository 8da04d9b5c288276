import type { FleetAction } from '../../shared/fleet/action.ts';
import type { FoundTransaction, StepFacts } from '../../shared/fleet/decide-step.ts';
import type { Artifact, Deployment } from '../../shared/fleet/deployment.ts';
import type { FleetDevice, InstallEnd, InstallWatch } from '../../shared/fleet/device.ts';

/** What the new version does at its first boot. */
export type Fate = 'good' | 'falls-back';

/** A device without a board: two slots, a transaction, and a reboot that takes no time. The agent above it is the real one. */
export class ModelDevice implements FleetDevice {
  running = '1.0.0';
  fetches = 0;
  installs = 0;
  boots = 1;
  facts: Partial<StepFacts> = {};
  fate: Fate = 'good';
  #action: FleetAction | undefined;
  #bundle: string | undefined;
  #transaction: (FoundTransaction & { id: string; version: string }) | undefined;

  readAction(): FleetAction | undefined {
    return this.#action;
  }

  writeAction(action: FleetAction): void {
    this.#action = structuredClone(action);
  }

  async attributes(): Promise<Record<string, string>> {
    return { version: this.running };
  }

  async stepFacts({ before, version }: FleetAction, offer: Deployment | undefined): Promise<StepFacts> {
    const found = this.#transaction;
    const isOurs = found !== undefined && found.id !== before && found.version === version;
    return {
      transaction: isOurs ? found : undefined,
      hasBundle: this.#bundle !== undefined && this.#bundle === offer?.artifact.url,
      isRaucBusy: false,
      obstacle: undefined,
      installWindow: undefined,
      rebootWindow: undefined,
      consent: 'automatic',
      bootId: `boot-${this.boots}`,
      ...this.facts,
    };
  }

  hasVerdict(): boolean {
    return this.#transaction?.isClosed === true;
  }

  runningVersion(): string {
    return this.running;
  }

  async fetch({ url }: Artifact): Promise<void> {
    this.fetches += 1;
    this.#bundle = url;
  }

  async install({ version }: Deployment, { onBegin }: InstallWatch): Promise<InstallEnd> {
    onBegin(version);
    this.installs += 1;
    const id = `${version}-${this.installs}`;
    this.#transaction = { id, version, state: 'installed', isClosed: false, reason: undefined };
    this.#bundle = undefined;
    return { kind: 'installed' };
  }

  lastTransaction(): string | null {
    return this.#transaction?.id ?? null;
  }

  discardDownload(): void {
    this.#bundle = undefined;
  }

  async reboot(version: string): Promise<void> {
    if (this.#transaction === undefined) throw new Error('nothing is installed');
    this.boots += 1;
    const isGood = this.fate === 'good';
    if (isGood) this.running = version;
    this.#transaction = {
      ...this.#transaction,
      state: isGood ? 'committed' : 'fallen-back',
      isClosed: true,
      reason: isGood ? undefined : 'it did not come up',
    };
  }

  logTail(): string[] {
    return ['the end of the log'];
  }
}
