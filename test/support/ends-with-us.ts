/** Before a command: a run that is killed leaves nothing behind. */
export const endsWithUs = ['setpriv', '--pdeathsig', 'KILL'];
