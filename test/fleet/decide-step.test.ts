import { describe, expect, test } from 'bun:test';
import { type FleetAction, newAction } from '../../shared/fleet/action.ts';
import { decideCancel, decideStep, type StepFacts } from '../../shared/fleet/decide-step.ts';
import type { Deployment } from '../../shared/fleet/deployment.ts';

const free: StepFacts = {
  transaction: undefined,
  hasBundle: true,
  isRaucBusy: false,
  obstacle: undefined,
  installWindow: undefined,
  rebootWindow: undefined,
  consent: 'automatic',
  bootId: 'this-boot',
};
const artifact = { filename: 'x.raucb', bytes: 1, sha256: null, url: 'http://127.0.0.1/x.raucb' };
const offered: Deployment = {
  actionId: '7',
  download: 'forced',
  update: 'forced',
  maintenanceWindow: undefined,
  version: '1.1.0',
  artifact,
};
const at = (stage: FleetAction['stage'], more: Partial<FleetAction> = {}): FleetAction => ({
  ...newAction('7', '1.1.0', new Date(0)),
  stage,
  ...more,
});
const told = { isFetchTold: true, isInstallTold: true };
const found = (state: NonNullable<StepFacts['transaction']>['state'], isClosed = false, reason?: string) => ({
  transaction: { state, isClosed, reason },
});

type Row = [
  what: string,
  action: FleetAction,
  offer: Partial<Deployment> | undefined,
  facts: Partial<StepFacts>,
  step: string,
];

describe('decideStep()', () => {
  const rows: Row[] = [
    ['nothing is here yet', at('fetching'), {}, {}, 'fetch'],
    [
      'the server does not want it downloaded',
      at('fetching'),
      { download: 'skip' },
      {},
      'wait: not to download',
    ],
    ['the user inhibits updates', at('fetching'), {}, { obstacle: 'guests' }, 'wait: guests'],
    ['forced, and a consent is wanted', at('fetching'), {}, { consent: 'ask' }, 'fetch'],
    ['attempted, and done by itself', at('fetching'), { download: 'attempt' }, {}, 'fetch'],
    ['attempted, without consent', at('fetching'), { download: 'attempt' }, { consent: 'ask' }, 'wait: yes'],
    [
      'attempted, with consent',
      at('fetching', { consent: 'yes' }),
      { download: 'attempt' },
      { consent: 'ask' },
      'fetch',
    ],
    ['a user has said no', at('fetching', { consent: 'no' }), {}, {}, 'close failure: rejected'],
    [
      'the window is closed, which is no reason not to fetch',
      at('fetching'),
      {},
      { installWindow: 'opens' },
      'fetch',
    ],
    ['it is no longer named', at('fetching'), undefined, {}, 'none'],

    ['the server does not know that it is here', at('fetched'), {}, {}, 'tell-fetched'],
    ['the bundle was taken away', at('fetched', told), {}, { hasBundle: false }, 'fetch-again'],
    ['all is free', at('fetched', told), {}, {}, 'install'],
    ['the server says skip', at('fetched', told), { update: 'skip' }, {}, 'wait: not to install'],
    [
      "the server's window is closed",
      at('fetched', told),
      { update: 'skip', maintenanceWindow: 'unavailable' },
      {},
      'wait: maintenance window',
    ],
    ["the server's window is open", at('fetched', told), { maintenanceWindow: 'available' }, {}, 'install'],
    [
      "the server's window is open, and the device's is not",
      at('fetched', told),
      { maintenanceWindow: 'available' },
      { installWindow: 'opens at 02:00' },
      'wait: opens at 02:00',
    ],
    [
      "forced does not open the device's window",
      at('fetched', told),
      {},
      { installWindow: 'opens at 02:00' },
      'wait: opens at 02:00',
    ],
    ['the user inhibits updates now', at('fetched', told), {}, { obstacle: 'guests' }, 'wait: guests'],
    [
      'downloaded by force, installed by consent',
      at('fetched', told),
      { update: 'attempt' },
      { consent: 'ask' },
      'wait: yes',
    ],
    ['RAUC is busy', at('fetched', told), {}, { isRaucBusy: true }, 'wait: RAUC'],

    [
      'RAUC continues without us',
      at('installing'),
      {},
      { isRaucBusy: true, ...found('installing') },
      'wait: RAUC',
    ],
    ['RAUC was done', at('installing'), {}, found('installed'), 'note-installed'],
    ['it is on trial already', at('installing'), {}, found('trial'), 'note-installed'],
    ['it fell back already', at('installing'), {}, found('fallen-back', true), 'note-installed'],
    ['RAUC never began', at('installing', { installTries: 1 }), {}, {}, 'back-to-fetched'],
    [
      'power was cut in the middle',
      at('installing', { installTries: 1 }),
      {},
      found('failed', true, 'cut'),
      'back-to-fetched',
    ],
    [
      'RAUC ended without a word',
      at('installing', { installTries: 2 }),
      {},
      found('installing'),
      'back-to-fetched',
    ],
    [
      'it is cut again and again',
      at('installing', { installTries: 3 }),
      {},
      found('failed', true, 'cut'),
      'close failure: 3 times: cut',
    ],
    [
      'it is cut, and no longer named',
      at('installing', { installTries: 1 }),
      undefined,
      {},
      'close failure: no longer',
    ],

    ['the server does not know of the install', at('installed'), {}, found('installed'), 'tell-installed'],
    ['it is time', at('installed', told), {}, found('installed'), 'reboot'],
    [
      'it is no longer named, and goes to its end',
      at('installed', told),
      undefined,
      found('installed'),
      'reboot',
    ],
    [
      'the reboot was asked for in this boot',
      at('installed', { ...told, rebootAskedIn: 'this-boot' }),
      {},
      found('installed'),
      'wait: waits for its reboot',
    ],
    [
      'the reboot was asked for in another boot',
      at('installed', { ...told, rebootAskedIn: 'another' }),
      {},
      found('installed'),
      'reboot',
    ],
    [
      "the device's window has closed",
      at('installed', told),
      {},
      { ...found('installed'), rebootWindow: 'opens' },
      'wait: opens',
    ],
    [
      "the server's window has closed",
      at('installed', told),
      { maintenanceWindow: 'unavailable' },
      found('installed'),
      'wait: maintenance window',
    ],
    ['it is on trial', at('installed', told), {}, found('trial'), 'wait: on trial'],
    ['it has migrated', at('installed', told), {}, found('migrated'), 'wait: on trial'],
    ['it is committed, and not yet closed', at('installed', told), {}, found('committed'), 'wait: on trial'],
    ['it is committed', at('installed', told), {}, found('committed', true), 'close success: proved healthy'],
    [
      'it is rolled back, and owes the restore',
      at('installed', told),
      {},
      found('rolled-back'),
      'wait: on trial',
    ],
    [
      'it is rolled back',
      at('installed', told),
      {},
      found('rolled-back', true, 'not healthy'),
      'close failure: rolled back: not healthy',
    ],
    [
      'it is fallen back',
      at('installed', told),
      {},
      found('fallen-back', true),
      'close failure: fallen back',
    ],
    [
      'it was replaced',
      at('installed', told),
      {},
      found('failed', true, 'replaced'),
      'close failure: failed: replaced',
    ],
    ['its record is lost', at('installed', told), {}, {}, 'close failure: lost'],

    ['the verdict is not told yet', at('closing'), undefined, {}, 'tell-closed'],
    ['all is told', at('closed'), {}, {}, 'none'],
  ];
  test.each(rows)('%s', (_, action, offer, facts, expected) => {
    const step = decideStep(action, offer && { ...offered, ...offer }, { ...free, ...facts });
    const [kind = '', words = ''] = expected.split(': ', 1).concat(expected.split(': ').slice(1).join(': '));
    const outcome = step.kind === 'close' ? ` ${step.isSuccess ? 'success' : 'failure'}` : '';
    expect(`${step.kind}${outcome}`).toBe(kind);
    expect('reason' in step ? step.reason : '').toContain(words);
  });

  test('closes with success only for a committed transaction, with any other facts', () => {
    const states = [
      'preparing',
      'installing',
      'installed',
      'trial',
      'migrated',
      'failed',
      'rolled-back',
      'fallen-back',
    ] as const;
    for (const stage of ['fetching', 'fetched', 'installing', 'installed'] as const)
      for (const state of states)
        for (const isClosed of [true, false])
          for (const installTries of [0, 3]) {
            const step = decideStep(at(stage, { ...told, installTries }), offered, {
              ...free,
              ...found(state, isClosed),
            });
            expect(step.kind === 'close' && step.isSuccess).toBe(false);
          }
  });
});

describe('decideCancel()', () => {
  test.each([
    ['nothing has begun', undefined, true],
    ['it is another action', at('installing', { actionId: '6' }), true],
    ['it is fetched', at('fetching'), true],
    ['it waits for its install', at('fetched'), true],
    ['RAUC writes', at('installing'), false],
    ['it waits for its reboot', at('installed'), false],
    ['it has ended, and is not reported', at('closing'), false],
    ['it has ended', at('closed'), false],
  ] as const)('when %s', (_, action, isAccepted) => {
    expect(decideCancel(action, '7').isAccepted).toBe(isAccepted);
  });
});
