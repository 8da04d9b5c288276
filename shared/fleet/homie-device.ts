import { readConfig } from '../config/config.ts';
import { type Slots, slotsIfAnswered } from '../rauc/status.ts';
import { readSystemConf } from '../rauc/system-conf.ts';
import { Failure } from '../system/failure.ts';
import { bootId, downloadFolderOf, logFileOf } from '../system/places.ts';
import { UndoStack } from '../system/process/undo.ts';
import { programVersion } from '../system/version.ts';
import { Download } from '../transfer/download/download.ts';
import type { DdiServer } from '../transfer/request/ddi-line.ts';
import { requireStanding } from '../update/admission/admit.ts';
import { letRaucInstall, verifyBundle } from '../update/install/install-steps.ts';
import { LiveProgress } from '../update/install/live-progress.ts';
import { tailOf } from '../update/report/log-tail.ts';
import { carryOutReboot, rebootPlanOf } from '../update/schedule/reboot-after.ts';
import { readRelease } from '../update/slot/release.ts';
import { answeredSlots } from '../update/transaction/answered-slots.ts';
import { type BareDevice, withConfigToInstall } from '../update/transaction/device.ts';
import { knownTransaction, readHistory, readTransaction } from '../update/transaction/transaction-store.ts';
import { type LockedDevice, takeFreeUpdaterLock } from '../update/transaction/update-lock.ts';
import { type FleetAction, readAction, writeAction } from './action.ts';
import { attributesOf } from './attributes.ts';
import type { StepFacts } from './decide-step.ts';
import type { Artifact, Deployment } from './deployment.ts';
import type { FleetDevice, InstallEnd, InstallWatch, Watch } from './device.ts';
import {
  closedWindow,
  foundTransaction,
  obstacleOf,
  raucVersion,
  rebootObstacle,
  transactionOf,
} from './device-facts.ts';
import { fetchArtifact } from './fetch-artifact.ts';

const tailLines = 20;
const eachUndoMs = 120_000;

/** This board, with the same download, policy and transaction as update.sh install. */
export class HomieDevice implements FleetDevice {
  readonly #device: BareDevice;
  readonly #server: DdiServer;
  #raucVersion: string | undefined;

  /** The config is read anew for each step: the agent runs for months. */
  constructor(device: BareDevice, server: DdiServer) {
    this.#device = device;
    this.#server = server;
  }

  readAction(): FleetAction | undefined {
    return readAction(this.#device.places);
  }

  writeAction(action: FleetAction): void {
    writeAction(this.#device.places, action);
  }

  async attributes(): Promise<Record<string, string>> {
    const places = this.#device.places;
    const slots = await this.#slots();
    this.#raucVersion ??= await raucVersion(this.#device.signal);
    return attributesOf({
      compatible: slots?.compatible ?? readSystemConf(places.root)?.compatible,
      runningVersion: readRelease(places.root),
      slots,
      raucVersion: this.#raucVersion,
      programVersion,
      last: readHistory(places).at(-1),
    });
  }

  async stepFacts(action: FleetAction, offer: Deployment | undefined): Promise<StepFacts> {
    // The agent has logged at its start what it cannot use of the config.
    const { places, config } = withConfigToInstall(this.#device, () => {});
    const now = new Date();
    return {
      transaction: foundTransaction(action, places),
      hasBundle: this.#hasBundle(offer),
      isRaucBusy: await this.#isRaucBusy(),
      obstacle: obstacleOf(places, now),
      installWindow: config.update.installAt === 'any-time' ? undefined : closedWindow(config, now),
      rebootWindow: rebootObstacle(config, now),
      consent: config.update.fleet?.consent ?? 'automatic',
      bootId: bootId(),
    };
  }

  hasVerdict(action: FleetAction): boolean {
    return transactionOf(action, this.#device.places)?.isClosed === true;
  }

  runningVersion(): string | undefined {
    return readRelease(this.#device.places.root);
  }

  lastTransaction(): string | null {
    return knownTransaction(readTransaction(this.#device.places))?.id ?? null;
  }

  discardDownload(): void {
    new Download(downloadFolderOf(this.#device.places)).discard();
  }

  logTail(): string[] {
    return tailOf(logFileOf(this.#device.places), tailLines);
  }

  async fetch(artifact: Artifact, { onPercent, signal }: Watch): Promise<void> {
    const { filename } = artifact;
    await this.#locked(filename, async (device, progress) => {
      requireStanding(filename, device.places);
      const both = AbortSignal.any([signal, device.signal]);
      const options = { progress, server: this.#server, onPercent };
      await fetchArtifact(artifact, options, { ...device, signal: both });
      progress.done('done', `"${filename}" is fetched`);
    });
  }

  async install(
    { artifact, update }: Deployment,
    { onBegin, onPercent, signal }: InstallWatch,
  ): Promise<InstallEnd> {
    const { filename } = artifact;
    return await this.#locked(filename, async (locked, progress) => {
      const device = { ...locked, signal };
      const { places } = device;
      requireStanding(filename, places);
      const copy = new Download(downloadFolderOf(places));
      const options = {
        progress,
        // An operator who assigns a version as forced wants it, even if it was rolled back here before.
        isForced: update === 'forced',
        source: filename,
        onProgress: onPercent,
      };
      const { version } = await verifyBundle({ file: copy.path, copy }, options, device);
      if (version === readRelease(places.root)) {
        copy.discard();
        progress.done('done', `Version "${version}" runs already`);
        return { kind: 'runs-already', version };
      }
      onBegin(version);
      await letRaucInstall(copy.path, version, options, device);
      copy.discard();
      progress.done('rebootNeeded', `Version "${version}" is installed, a reboot tries it`);
      return { kind: 'installed' };
    });
  }

  async reboot(version: string): Promise<void> {
    const plan = rebootPlanOf(undefined, readConfig(this.#device.places), new Date());
    await carryOutReboot(plan, version, this.#device.log);
  }

  /** Another program may have fetched another bundle meanwhile: the device keeps one download at a time. */
  #hasBundle(offer: Deployment | undefined): boolean {
    const side = new Download(downloadFolderOf(this.#device.places)).read();
    return side?.isWhole === true && side.url === offer?.artifact.url;
  }

  /** Works under the lock of all updates, with an undo stack of its own, because the agent continues afterwards. */
  async #locked<T>(
    source: string,
    work: (device: LockedDevice, progress: LiveProgress) => Promise<T>,
  ): Promise<T> {
    const undo = new UndoStack();
    const device: BareDevice = { ...this.#device, undo, allow: () => {} };
    const { places, log } = device;
    let reason: unknown;
    try {
      const lock = await takeFreeUpdaterLock(device);
      const progress = new LiveProgress(places, log, source);
      undo.owe('tell the end', (why) => progress.failUnlessDone(why));
      return await work({ ...withConfigToInstall(device), lock }, progress);
    } catch (error) {
      reason = error;
      throw error;
    } finally {
      await undo.unwind(
        reason,
        (what, error) => log.warn(`Cannot undo "${what}": ${String(error)}`),
        eachUndoMs,
      );
    }
  }

  async #slots(): Promise<Slots | undefined> {
    return await slotsIfAnswered(this.#device.signal);
  }

  async #isRaucBusy(): Promise<boolean> {
    try {
      await answeredSlots(this.#device);
      return false;
    } catch (error) {
      if (error instanceof Failure && error.outcome === 'busy') return true;
      throw error;
    }
  }
}
