/** The names under which the one executable is called, and lies in `update-hooks/`. */
export const programNames = [
  'hook',
  'system-check',
  'install-check',
  'pre-install',
  'post-install',
  'post-activate',
  'update.sh',
] as const;

export type ProgramName = (typeof programNames)[number];

/** The name that holds the bytes; the others are links to it. */
export const executableName = 'hook';
