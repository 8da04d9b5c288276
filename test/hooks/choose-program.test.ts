import { describe, expect, test } from 'bun:test';
import { type Choice, chooseProgram } from '../../hooks/choose-program.ts';

function story(name: string, ...args: string[]): object {
  return { kind: 'story', story: name, args };
}

const table: [calledAs: string, args: string[], expected: object][] = [
  // As RAUC calls: one file, and the hook's name.
  ['/run/rauc/bundle/update-hooks/hook', ['install-check'], story('install-check')],
  ['hook', ['slot-pre-install'], story('pre-install')],
  ['hook', ['slot-post-install'], story('post-install')],
  ['hook', ['slot-install'], { kind: 'unknown-hook', name: 'slot-install' }],
  ['hook', ['slot-post-activate'], { kind: 'unknown-hook', name: 'slot-post-activate' }],
  // By its own name.
  ['/usr/lib/homie/update-hooks/post-activate', [], story('post-activate')],
  ['./pre-install', ['--bundle', '/mnt'], story('pre-install', '--bundle', '/mnt')],
  ['update.sh', ['install', 'x.raucb'], story('update.sh', 'install', 'x.raucb')],
  ['update.sh', ['slot-post-install'], story('update.sh', 'slot-post-install')],
  ['post-activate', ['--dry-run'], story('post-activate', '--dry-run')],
  // A program as a hook script of its own.
  ['pre-install', ['slot-pre-install'], story('pre-install')],
  ['pre-install', ['slot-pre-install', '--dry-run'], story('pre-install', '--dry-run')],
  ['install-check', ['install-check'], story('install-check')],
  ['pre-install', ['slot-post-install'], { kind: 'unknown-hook', name: 'slot-post-install' }],
  ['post-activate', ['install-check'], { kind: 'unknown-hook', name: 'install-check' }],
  ['post-install', ['slot-whatever'], { kind: 'unknown-hook', name: 'slot-whatever' }],
  // From source, or under an unknown name: the first argument names the program.
  ['/usr/bin/bun', ['update.sh', 'status', '--json'], story('update.sh', 'status', '--json')],
  ['renamed', ['post-activate', '--dry-run'], story('post-activate', '--dry-run')],
  ['renamed', ['nonsense'], { kind: 'unknown-hook', name: 'nonsense' }],
  ['hook', ['toString'], { kind: 'unknown-hook', name: 'toString' }],
  [
    '/usr/lib/homie/update-hooks/system-check',
    ['--bundle', '/mnt'],
    story('system-check', '--bundle', '/mnt'),
  ],
  // Asked about itself.
  ['hook', [], { kind: 'nothing-said' }],
  ['hook', ['--help'], { kind: 'help' }],
  ['hook', ['-h'], { kind: 'help' }],
  ['hook', ['--version'], { kind: 'version' }],
  ['pre-install', ['--version'], { kind: 'version' }],
  ['pre-install', ['--help'], story('pre-install', '--help')],
  ['update.sh', ['install', '--version'], story('update.sh', 'install', '--version')],
];

describe('chooseProgram()', () => {
  test.each(table)('called as %p with %j', (calledAs, args, expected) => {
    expect(chooseProgram(calledAs, args)).toEqual(expected as Choice); // the table is of the same form
  });

  // RAUC 1.8 passes `[handler] args=` of the bundle's manifest to the system's handler, too.
  test.each([[['']], [['--help']], [['--version']], [['--data=/tmp/none']], [['install-check']]])(
    'takes no argument %j from a bundle when RAUC calls the handler',
    (args) => {
      const program = '/usr/lib/homie/update-hooks/system-check';
      expect(chooseProgram(program, args, true)).toEqual(story('system-check') as Choice); // as above
    },
  );
});
