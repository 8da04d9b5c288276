import { otherSlot, readSlots, type Slot, type Slots } from '../../rauc/status.ts';
import { bad, type Check, type Judgement, ok, warn } from './check-result.ts';

/** Checks the slots as RAUC's service reports them: it has to answer, and to know which slot runs. */
export const slots: Check = {
  name: 'slots',
  async run({ signal }) {
    return judgeSlots(await readSlots(signal));
  },
};

export function judgeSlots(found: Slots): Judgement {
  const { booted, primary } = found;
  if (booted === undefined)
    return bad('RAUC does not know which slot runs', 'Put rauc.slot=A or B on the kernel command line');
  const other = otherSlot(found);
  if (other === undefined)
    return bad(`slot "${booted.name}" is the only one`, 'Describe both in system.conf');
  if (booted.bootStatus === 'unknown' || other.bootStatus === 'unknown')
    return bad(
      `${unknownSlots([booted, other])}: RAUC cannot read it from the bootloader's environment`,
      'See the check "boot environment"; fw_printenv says why',
    );
  if (booted.bootStatus === 'bad')
    return bad(
      `slot "${booted.name}" runs, but is out of the boot order`,
      'Run "rauc status mark-active booted", and see update.sh why',
    );
  if (primary !== booted)
    return warn(
      `slot "${booted.name}" runs, the next boot goes to "${primary?.name ?? 'unknown'}"`,
      'An update waits for its reboot (update.sh status), or something else has switched it',
    );
  if (other.bootStatus !== 'good')
    return warn(
      `slot "${other.name}" is no fallback`,
      'Run update.sh repair; else the next install fills it',
    );
  return ok(`"${booted.name}" runs and is the primary one, "${other.name}" is its fallback`);
}

function unknownSlots(both: readonly Slot[]): string {
  const names = both.filter(({ bootStatus }) => bootStatus === 'unknown').map(({ name }) => `"${name}"`);
  return `the boot status of slot ${names.join(' and ')} is unknown`;
}
