import type { FleetAction } from './action.ts';
import type { StepFacts } from './decide-step.ts';
import type { Artifact, Deployment } from './deployment.ts';

/** The device as the agent sees it: the facts that it can read, and the actions that it can start. */
export interface FleetDevice {
  readAction(): FleetAction | undefined;
  writeAction(action: FleetAction): void;
  attributes(): Promise<Record<string, string>>;
  stepFacts(action: FleetAction, offer: Deployment | undefined): Promise<StepFacts>;
  /** Whether the transaction of an installed action is closed. It is called often. */
  hasVerdict(action: FleetAction): boolean;
  runningVersion(): string | undefined;
  /** Throws a Failure. */
  fetch(artifact: Artifact, watch: Watch): Promise<void>;
  /** Verifies, makes the checks of install-check, and installs; `onBegin` gets the bundle's version. Throws a Failure. */
  install(offer: Deployment, work: InstallWatch): Promise<InstallEnd>;
  /** The last transaction so far: a later one belongs to the install. */
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
  /** Called just before RAUC: from then on the install cannot be stopped. */
  onBegin(version: string): void;
}

export type InstallEnd = { kind: 'installed' } | { kind: 'runs-already'; version: string };
