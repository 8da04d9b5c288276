import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { advance, type State, stateOf } from '../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { asked, BootStage } from '../support/scene/boot-stage.ts';
import { writeTransaction } from '../support/scene/by-hand.ts';
import { bootId } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { sick } from '../support/servers/health-server.ts';

setDefaultTimeout(30_000);
let stage: BootStage;
beforeEach(() => {
  stage = new BootStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const noteFile = 'data/update/admitted.json';
const { status, isActive, start, markGood, keepSlot } = asked;

/** The old slot comes up, held, with the update as the boot before has left it. */
function comeBack(state: State): void {
  stage.leaveUpdate(transactionAt(state));
  stage.bootInto({ booted: 'rootfs.0', primary: 'rootfs.1' });
  expect(stage.isUnitActive).toBe(false);
}

describe('post-activate, in the old slot after an install', () => {
  test('keeps it the primary one, and closes the update, when the bootloader fell back', async () => {
    comeBack('trial');
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain(
      'Fell back to slot "rootfs.0": version "1.1.0" in slot "rootfs.1" did not come up',
    );
    expect(stage.distinctCalls()).toEqual([status, keepSlot, start, isActive, markGood]);
    expect(stage.states()).toEqual(['preparing', 'trial', 'fallen-back']);
    expect(readHistory(stage.places)).toHaveLength(1);
    expect(ended.exitCode).toBe(0);
  });

  test('lets the orchestrator run, but leaves the update open, when RAUC cannot keep the slot', async () => {
    comeBack('trial');
    stage.breakMarks();
    const ended = await stage.postActivate();
    expect(ended.reason).toBe('Cannot mark the booted slot active: RAUC refused or did not answer');
    expect(stage.calls()).toEqual([status, keepSlot, start]);
    expect(stage.isUnitActive).toBe(true);
    expect(stage.isHeld).toBe(true);
    expect(stage.transaction().isClosed).toBe(false);
    expect(ended.exitCode).toBe(1);

    stage.bootInto({ booted: 'rootfs.0', primary: 'rootfs.1' });
    stage.fake('rauc', 'case "$2" in --detailed) cat rauc-status.json;; esac');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.distinctCalls()).toEqual([status, keepSlot, start, isActive, markGood]);
    expect(stage.states()).toEqual(['preparing', 'trial', 'fallen-back']);
    expect(readHistory(stage.places).map(stateOf)).toEqual(['fallen-back']);
    expect(stage.isHeld).toBe(false);
  });

  test('lets the orchestrator run, but leaves the update open, when its verdict cannot be kept', async () => {
    comeBack('trial');
    mkdirSync(stage.at('data/update/history.jsonl'));
    const ended = await stage.postActivate();
    expect(ended.reason).toStartWith('Cannot ');
    expect(ended.reason).toContain(`"${stage.at('data/update/history.jsonl')}"`);
    expect(stage.calls()).toEqual([status, keepSlot, start]);
    expect([stage.isHeld, stage.isUnitActive]).toEqual([true, true]);
    expect(stage.transaction().isClosed).toBe(false);
    expect(ended.exitCode).toBe(1);
  });

  test('closes an install that never finished, with how far it got', async () => {
    comeBack('installing');
    const ended = await stage.postActivate();
    expect(stage.distinctCalls()).toEqual([status, start, isActive, markGood]);
    expect(stage.transaction().steps.at(-1)).toMatchObject({
      state: 'failed',
      reason: 'it never got further than "installing"',
    });
    expect(stage.transaction().isClosed).toBe(true);
    expect(ended.exitCode).toBe(0);
  });

  test.each(['rolled-back', 'fallen-back'] as const)(
    'finishes what was "%s" and has got home, and keeps the slot: it may be here for the bootloader only',
    async (state) => {
      comeBack(state);
      expect((await stage.postActivate()).exitCode).toBe(0);
      expect(stage.distinctCalls()).toEqual([status, keepSlot, start, isActive, markGood]);
      expect(stage.states()).toEqual(['preparing', state]);
      expect(readHistory(stage.places).map(stateOf)).toEqual([state]);
    },
  );

  test('closes the update, and does not mark the slot good, when it is not healthy either', async () => {
    comeBack('trial');
    stage.health.answer = sick;
    const ended = await stage.postActivate();
    expect(stage.distinctCalls()).toEqual([status, keepSlot, start, isActive]);
    expect(stage.transaction().isClosed).toBe(true);
    expect(stage.isHeld).toBe(false);
    expect(ended.exitCode).toBe(20);
  });

  test.each(['trial', 'rolled-back', 'failed', 'preparing'] as const)(
    'lets the orchestrator run, and leaves "%s" as it is, when RAUC does not answer',
    async (state) => {
      comeBack(state);
      rmSync(stage.at('rauc-status.json'));
      const before = stage.transaction();
      const ended = await stage.postActivate();
      expect(ended.reason).toStartWith('Cannot find out which slot runs');
      expect(stage.calls()).toEqual([status, start]);
      expect(stage.isUnitActive).toBe(true);
      expect(stage.transaction()).toEqual(before);
      expect(stage.isHeld).toBe(true);
      expect(ended.exitCode).toBe(1);
    },
  );

  test('means the same when it is run again in the same boot', async () => {
    comeBack('trial');
    await stage.postActivate();
    rmSync(stage.at('calls'));
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
    expect(readHistory(stage.places)).toHaveLength(1);
  });
});

describe('post-activate, where a failed install has left the fallback out of the boot order', () => {
  const putBack = [asked.leaveSlot, keepSlot];

  function loseFallback(states: readonly State[]): void {
    const moment = { at: new Date(0), bootId: 'earlier' };
    const failed = states.reduce(
      (update, state) => advance(update, state, moment),
      transactionAt('preparing'),
    );
    writeTransaction(stage.places, { ...failed, isClosed: true });
    stage.bootInto({ booted: 'rootfs.0', bad: ['rootfs.1'] });
  }

  test('puts it back, once the running slot has proved healthy', async () => {
    loseFallback(['failed']);
    const ended = await stage.postActivate();
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood, status, ...putBack]);
    expect(ended.stderr).toContain('Put the fallback slot back into the boot order');
    expect(ended.exitCode).toBe(0);
  });

  test('leaves a half written one out, and says why', async () => {
    loseFallback(['installing', 'failed']);
    const ended = await stage.postActivate();
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood, status]);
    expect(ended.reason).toBe(
      'Slot "rootfs.1" is no fallback, and stays out of the boot order: version "1.1.0" was written into it, and is "failed"',
    );
    expect(ended.exitCode).toBe(0);
  });

  test('leaves it out as long as the running slot is not healthy', async () => {
    loseFallback(['failed']);
    stage.health.answer = sick;
    expect((await stage.postActivate()).exitCode).toBe(20);
    expect(stage.distinctCalls()).toEqual([status, isActive]);
  });

  test('is done anyway, and makes the running slot the primary one, when it cannot be put back', async () => {
    loseFallback(['failed']);
    stage.fake('rauc', 'case "$2 $3" in --detailed*) cat rauc-status.json;; *other) exit 1;; esac');
    const ended = await stage.postActivate();
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood, status, ...putBack]);
    expect(ended.reason).toStartWith('Cannot put the fallback slot back: Cannot mark the other slot active');
    expect(ended.exitCode).toBe(0);
  });

  describe('because power failed before pre-install had written down that it begins', () => {
    /** As install-check leaves it. */
    function noteAdmitted(boot = 'earlier'): void {
      const note = { format: 1, version: '1.2.0', after: null, bootId: boot, at: '2026-01-02T03:04:05.000Z' };
      stage.write(noteFile, JSON.stringify(note));
    }

    test('puts it back, and forgets the note', async () => {
      noteAdmitted();
      stage.bootInto({ booted: 'rootfs.0', bad: ['rootfs.1'] });
      const ended = await stage.postActivate();
      expect(stage.distinctCalls()).toEqual([status, isActive, markGood, status, ...putBack]);
      expect(existsSync(stage.at(noteFile))).toBe(false);
      expect(ended.exitCode).toBe(0);
    });

    test('forgets the note where the slot was never taken out: who does that later means it', async () => {
      noteAdmitted();
      stage.bootInto({ booted: 'rootfs.0' });
      expect((await stage.postActivate()).exitCode).toBe(0);
      expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
      expect(existsSync(stage.at(noteFile))).toBe(false);
    });

    test('keeps the note, and says why, where RAUC cannot read whether the slot was taken out', async () => {
      noteAdmitted();
      stage.bootInto({ booted: 'rootfs.0', unknown: ['rootfs.1'] });
      const ended = await stage.postActivate();
      expect(ended.reason).toBe(
        'It is unknown whether slot "rootfs.1" is a fallback: RAUC cannot read its boot status',
      );
      expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
      expect(existsSync(stage.at(noteFile))).toBe(true);
      expect(ended.exitCode).toBe(0);
    });

    test('keeps the note as long as the running slot is not healthy', async () => {
      noteAdmitted();
      stage.bootInto({ booted: 'rootfs.0', bad: ['rootfs.1'] });
      stage.health.answer = sick;
      expect((await stage.postActivate()).exitCode).toBe(20);
      expect(stage.distinctCalls()).toEqual([status, isActive]);
      expect(existsSync(stage.at(noteFile))).toBe(true);
    });

    test.each([
      ['in this boot, where RAUC may be writing', () => noteAdmitted(bootId)],
      ['by a program that is newer', () => stage.write(noteFile, '{"format": 2}')],
      ['and power tore the note', () => stage.write(noteFile, '{"format"')],
    ])('leaves it out, and the note, when it was noted %s', async (_when, arrange) => {
      arrange();
      stage.bootInto({ booted: 'rootfs.0', bad: ['rootfs.1'] });
      const ended = await stage.postActivate();
      expect(stage.distinctCalls()).toEqual([status, isActive, markGood, status]);
      expect(ended.reason).toContain('no recorded update took it out');
      expect(existsSync(stage.at(noteFile))).toBe(true);
    });
  });
});
