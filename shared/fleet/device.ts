import type { FleetAction } from './action.ts';
import type { StepFacts } from './decide-step.ts';
import type { Artifact, Offer } from './offer.ts';

/** The device as the agent sees it: what can be asked of it, and what it can be told to do. */
export interface FleetDevice {
  readAction(): FleetAction | undefined;
  writeAction(action: FleetAction): void;
  attributes(): Promise<Record<string, string>>;
  stepFacts(action: FleetAction, offer: Offer | undefined): Promise<StepFacts>;
  /** Whether the transaction of the action, which is installed, has come to its end; asked for often. */
  hasVerdict(action: FleetAction): boolean;
  runningVersion(): string | undefined;
  /** Throws a Failure. */
  fetch(artifact: Artifact, watch: Watch): Promise<void>;
  /** Verifies, asks what install-check asks, and installs; answers with the bundle's version once that is known. Throws a Failure. */
  install(offer: Offer, work: InstallWatch): Promise<InstallEnd>;
  /** The last transaction so far: what comes after it is the install's. */
  lastTransaction(): string | null;
  discardDownload(): void;
  reboot(version: string): Promise<void>;
  logTail(): string[];
}

export interface Watch {
  onPercent(percent: number, what: string): void;
  signal: AbortSignal;
}

export interface InstallWatch extends Watch {
  /** Just before RAUC is called: from then on there is no way back. */
  onBegin(version: string): void;
}

export type InstallEnd = { kind: 'installed' } | { kind: 'runs-already'; version: string };
