import { FleetAgent } from '../../shared/fleet/agent.ts';
import { isOffer, parseBase, parseDeployment } from '../../shared/fleet/deployment.ts';
import { closed } from '../../shared/fleet/feedback.ts';
import { withJitter } from '../../shared/fleet/polling.ts';
import { pause } from '../../shared/system/deadline.ts';
import type { Log } from '../../shared/system/terminal/log.ts';
import { DdiLine } from '../../shared/transfer/request/ddi-line.ts';
import { ModelDevice } from './model-device.ts';

/** Many devices in one process: the agent's own code, each above a model of slots. */

export interface Simulated {
  id: string;
  device: ModelDevice;
  /** One round; answers with how long the server wants to be left alone. */
  round(): Promise<number>;
}

export interface FleetWish {
  url: string;
  gatewayToken: string;
  signal: AbortSignal;
}

export function simulate(id: string, wish: FleetWish): Simulated {
  const device = new ModelDevice();
  const agent = new FleetAgent(lineOf(id, wish), device, {
    log: silent,
    signal: wish.signal,
    consent: 'automatic',
  });
  return { id, device, round: () => agent.round() };
}

/** As clients do that close the action when RAUC is done: the same model, without a report after the reboot. */
export function simulateBaseline(id: string, wish: FleetWish): Simulated {
  const device = new ModelDevice();
  const line = lineOf(id, wish);
  const round = async (): Promise<number> => {
    const { links } = parseBase(await line.get());
    if (links.deploymentBase === undefined) return 1000;
    const offer = parseDeployment(await line.get(links.deploymentBase));
    if (!isOffer(offer)) throw new Error(offer.problem);
    await device.fetch(offer.artifact);
    await device.install(offer, { onBegin: () => {}, onPercent: () => {}, signal: wish.signal });
    const success = { isSuccess: true, reason: 'Software bundle installed successfully.' };
    const href = `${line.server.base}/deploymentBase/${offer.actionId}/feedback`;
    await line.send('POST', href, closed(offer.actionId, success, []));
    await device.reboot(offer.version);
    return 1000;
  };
  return { id, device, round };
}

/** All of them go round until it is stopped. What a device throws ends it all. */
export async function liveTogether(fleet: readonly Simulated[], signal: AbortSignal): Promise<void> {
  await Promise.all(
    fleet.map(async ({ round }) => {
      try {
        for (;;) await pause(withJitter(await round(), Math.random()), signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }),
  );
}

function lineOf(id: string, { url, gatewayToken, signal }: FleetWish): DdiLine {
  const credentials = { headers: { Authorization: `GatewayToken ${gatewayToken}` }, tls: undefined };
  return new DdiLine({ base: `${url}/DEFAULT/controller/v1/${id}`, credentials }, signal);
}

const silent: Log = {
  info: () => {},
  warn: () => {},
  error: () => {},
  step: async (_doing, _done, _thing, work) => await work(),
  alsoTo: () => {},
  lastLine: '',
};
