import * as v from 'valibot';
import { Failure, reasonOf } from '../system/failure.ts';
import { faultPoint } from '../system/fault-point.ts';
import type { Log } from '../system/terminal/log.ts';
import type { DdiLine } from '../transfer/request/ddi-line.ts';
import { type FleetAction, newAction } from './action.ts';
import { carryOutStep, type StepWork } from './carry-out-step.ts';
import { decideCancel, decideStep } from './decide-step.ts';
import {
  type Base,
  type Deployment,
  isOffer,
  parseBase,
  parseCancel,
  parseConfirmation,
  parseDeployment,
  type Unusable,
} from './deployment.ts';
import type { FleetDevice } from './device.ts';
import { cancelled, confirmationOf } from './feedback.ts';
import { FeedbackSender } from './feedback-sender.ts';
import { intervalMs } from './polling.ts';

export interface AgentOptions {
  log: Log;
  signal: AbortSignal;
  consent: 'automatic' | 'ask';
}

/** A limit for one round: more steps than an action has. */
const mostSteps = 20;

/**
 * The agent of one device in a fleet. Each round asks the server, and does the next steps; finished steps are noted on the
 * data partition, so that a round may be interrupted anywhere.
 */
export class FleetAgent {
  readonly #line: DdiLine;
  readonly #device: FleetDevice;
  readonly #options: AgentOptions;
  readonly #reporter: FeedbackSender;
  #attributes = '';
  #installedHref: string | undefined;

  constructor(line: DdiLine, device: FleetDevice, options: AgentOptions) {
    this.#line = line;
    this.#device = device;
    this.#options = options;
    this.#reporter = new FeedbackSender(line, options.log, options.signal);
  }

  /** Answers with the time until the server wants the next request, in ms. Throws a Failure where it cannot be reached. */
  async round(): Promise<number> {
    try {
      return await this.#round();
    } catch (error) {
      if (v.isValiError(error))
        throw new Failure(`Cannot use the answer of the fleet's server: ${reasonOf(error)}`, {
          outcome: 'tryLater',
          cause: error,
        });
      throw error;
    }
  }

  /** Whether the device has news for the server, which need not wait for the next round. */
  hasNews(): boolean {
    const action = this.#device.readAction();
    return action?.stage === 'installed' && this.#device.hasVerdict(action);
  }

  async #round(): Promise<number> {
    const base = parseBase(await this.#line.get());
    await this.#tellAttributes(base);
    if (base.links.cancelAction !== undefined) {
      await this.#answerCancel(base.links.cancelAction);
      // Ask again at once: the server's answer changes after this.
      return 0;
    }
    const { deploymentBase, confirmationBase } = base.links;
    if (deploymentBase === undefined && confirmationBase !== undefined) {
      await this.#answerConfirmation(confirmationBase);
      const known = this.#device.readAction();
      if (known !== undefined && isUnderWay(known)) await this.#goOn(undefined);
      return intervalMs(base.sleep);
    }
    const offer = await this.#offerOf(base);
    if (offer === undefined || isOffer(offer)) await this.#goOn(offer);
    else await this.#refuse(offer);
    await this.#reporter.settled();
    return intervalMs(base.sleep);
  }

  /** Sends the attributes where the server asks for them, at the start, and whenever they have changed. */
  async #tellAttributes({ links }: Base): Promise<void> {
    const attributes = await this.#device.attributes();
    const text = JSON.stringify(attributes);
    if (links.configData === undefined && text === this.#attributes) return;
    await this.#line.send('PUT', links.configData ?? `${this.#line.server.base}/configData`, {
      mode: 'merge',
      data: attributes,
      // Servers before 0.3.0M8 require a status.
      status: { execution: 'closed', result: { finished: 'success' }, details: [] },
    });
    this.#attributes = text;
  }

  async #answerCancel(href: string): Promise<void> {
    const { log } = this.#options;
    const stopId = parseCancel(await this.#line.get(href));
    const action = this.#device.readAction();
    const answer = decideCancel(action, stopId);
    if (answer.isAccepted) {
      if (action?.actionId === stopId) {
        this.#device.discardDownload();
        const verdict = { isSuccess: false, reason: 'the server has cancelled it' };
        this.#device.writeAction({ ...action, stage: 'closed', verdict });
      }
      log.info(`Cancelled action ${stopId}, as the server asks`);
    } else log.info(`Not cancelling action ${stopId}: ${answer.reason}`);
    await faultPoint('agent:cancel');
    await this.#line.send('POST', `${hrefWithoutQuery(href)}/feedback`, cancelled(stopId, answer));
  }

  async #offerOf({ links }: Base): Promise<Deployment | Unusable | undefined> {
    if (links.deploymentBase !== undefined)
      return parseDeployment(await this.#line.get(links.deploymentBase));
    if (links.installedBase !== undefined) await this.#compareInstalled(links.installedBase);
    return undefined;
  }

  /** Where a user at the device has to confirm, `update.sh consent` writes the answer into the file of the action. */
  async #answerConfirmation(href: string): Promise<void> {
    const offer = parseConfirmation(await this.#line.get(href));
    const known = this.#device.readAction();
    const isKnown = known?.actionId === offer.actionId;
    if (isKnown && known.stage === 'closed') return;
    if (!isKnown && known !== undefined && isUnderWay(known)) return;
    const version = isOffer(offer) ? offer.version : 'unknown';
    const action = isKnown ? known : newAction(offer.actionId, version, new Date());
    const consent = this.#options.consent === 'automatic' ? 'yes' : action.consent;
    if (!isKnown) this.#device.writeAction(action);
    if (consent === null) {
      this.#options.log.info(`Action ${offer.actionId} waits for "update.sh consent yes"`);
      return;
    }
    await this.#line.send('POST', `${hrefWithoutQuery(href)}/feedback`, confirmationOf(consent));
    const verdict = { isSuccess: false, reason: 'a user at the device rejected it' };
    this.#device.writeAction(
      consent === 'yes' ? { ...action, consent } : { ...action, consent, stage: 'closed', verdict },
    );
  }

  /** Warns where the version that the server believes to be installed is not the running one. */
  async #compareInstalled(href: string): Promise<void> {
    if (href === this.#installedHref) return;
    const installed = parseDeployment(await this.#line.get(href));
    this.#installedHref = href;
    const running = this.#device.runningVersion();
    if (isOffer(installed) && running !== undefined && installed.version !== running)
      this.#options.log.warn(
        `The fleet's server takes version "${installed.version}" for installed, "${running}" runs`,
      );
  }

  async #refuse({ actionId, problem }: Unusable): Promise<void> {
    const known = this.#device.readAction();
    if (known !== undefined && known.actionId !== actionId && isUnderWay(known))
      return await this.#goOn(undefined);
    const verdict = { isSuccess: false, reason: problem };
    const action = known?.actionId === actionId ? known : newAction(actionId, 'unknown', new Date());
    if (action.stage !== 'closed') this.#device.writeAction({ ...action, stage: 'closing', verdict });
    await this.#goOn(undefined);
  }

  async #goOn(named: Deployment | undefined): Promise<void> {
    const action = this.#takeUp(named);
    if (action === undefined) return;
    const offer = named?.actionId === action.actionId ? named : undefined;
    const work: StepWork = {
      line: this.#line,
      device: this.#device,
      reporter: this.#reporter,
      log: this.#options.log,
      signal: this.#options.signal,
      offer,
    };
    for (let steps = 0, current = action; steps < mostSteps; steps += 1) {
      const step = decideStep(current, offer, await this.#device.stepFacts(current, offer));
      await faultPoint(`agent:${step.kind}`);
      const next = await carryOutStep(step, current, work);
      if (next === undefined) return;
      current = next;
    }
  }

  /** The action to work on: one that has begun to change the device is finished first. */
  #takeUp(named: Deployment | undefined): FleetAction | undefined {
    const known = this.#device.readAction();
    if (known !== undefined && isUnderWay(known)) return known;
    if (named === undefined) {
      if (known === undefined || known.stage === 'closed') return undefined;
      const verdict = { isSuccess: false, reason: 'the server no longer names it' };
      this.#device.writeAction({ ...known, stage: 'closed', verdict });
      this.#options.log.info(`Action ${known.actionId} is gone: ${verdict.reason}`);
      return undefined;
    }
    if (known?.actionId !== named.actionId) {
      const action = newAction(named.actionId, named.version, new Date());
      this.#device.writeAction(action);
      this.#options.log.info(`Action ${named.actionId}: version "${named.version}", ${wordsOf(named)}`);
      return action;
    }
    // The server still names the action, so it has not processed the report of its end: report it again.
    const isUntold = known.stage === 'closed' && known.verdict !== null;
    return isUntold ? { ...known, stage: 'closing' } : known;
  }
}

function isUnderWay({ stage }: FleetAction): boolean {
  return stage === 'installing' || stage === 'installed' || stage === 'closing';
}

function wordsOf({ download, update, maintenanceWindow }: Deployment): string {
  const window = maintenanceWindow === undefined ? '' : `, maintenance window ${maintenanceWindow}`;
  return `download ${download}, update ${update}${window}`;
}

function hrefWithoutQuery(href: string): string {
  return href.replace(/\?.*$/, '');
}
