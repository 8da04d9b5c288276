import type { Outcome } from '../../../shared/system/exit-code.ts';
import { Failure, reasonOf } from '../../../shared/system/failure.ts';
import { type Running, runProgram } from '../../../shared/system/process/program.ts';
import { print } from '../../../shared/system/terminal/print.ts';

/** Owes two things and ends in the way its argument says. */

async function never(): Promise<never> {
  await Bun.sleep(60_000);
  throw new Error('it was not ended');
}

const endings: Record<string, (running: Running) => Promise<Outcome>> = {
  done: async () => 'done',
  'reboot-needed': async () => 'rebootNeeded',
  failed: async () => {
    throw new Failure('Cannot open "x": no such door', {
      outcome: 'noSpace',
      advice: 'Use the window',
      cause: new Error('tool: door 7 is bricked up'),
    });
  },
  bug: async () => {
    const nothing: { tell(): Outcome } = JSON.parse('{}');
    return nothing.tell(); // the bug
  },
  'bug-before-the-promise': () => {
    throw new TypeError('a story that is no async function');
  },
  rejection: async () => {
    void Promise.reject(new RangeError('not awaited'));
    return await never();
  },
  'bug-in-a-timer': async () => {
    setTimeout(() => {
      throw new TypeError('thrown in a timer');
    }, 1);
    return await never();
  },
  'bug-in-an-undo-timer': async ({ undo }) => {
    undo.owe('set a timer', async () => {
      setTimeout(() => {
        throw new TypeError('thrown in a timer of an undo');
      }, 1);
      await Bun.sleep(20);
    });
    return 'done';
  },
  'bad-undo': async ({ undo }) => {
    undo.owe('fold the sky', () => {
      throw new Error('it is too big');
    });
    return 'done';
  },
  'told-to-end': async ({ signal }) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(new Failure('Cannot copy: it was cut short')));
    print(1, 'ready\n');
    await Promise.race([promise, never()]);
    return 'done';
  },
  'told-to-end-but-done': async ({ signal }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve());
    print(1, 'ready\n');
    await Promise.race([promise, never()]);
    return 'done';
  },
  stubborn: async ({ signal }) => {
    signal.addEventListener('abort', () => print(1, 'told\n'));
    print(1, 'ready\n');
    return await never();
  },
  'too-late': async ({ allow, signal }) => {
    allow(50);
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason));
    await Promise.race([promise, never()]);
    return 'done';
  },
  chatty: async () => {
    print(1, 'x'.repeat(1_000_000));
    print(2, 'y'.repeat(1_000_000));
    throw new Failure('Cannot be heard', { outcome: 'noSpace' });
  },
};

const [, , ending = 'done'] = process.argv;
await runProgram({ name: 'story', deadlineMs: 60_000 }, (running) => {
  const { undo } = running;
  undo.owe('the first', (reason) => {
    print(1, `undo the first: ${reason === undefined ? 'done' : reasonOf(reason)}\n`);
  });
  undo.owe('the second', (reason) => {
    print(1, `undo the second: ${reason === undefined ? 'done' : reasonOf(reason)}\n`);
  });
  const story = endings[ending];
  if (story === undefined) throw new Error(`no ending ${ending}`);
  return story(running);
});
