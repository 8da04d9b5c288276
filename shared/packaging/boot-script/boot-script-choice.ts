import type { Board } from '../board/board.ts';

/** The part of the boot script that reads the saved variables, chooses a slot, loads its files and uses up one attempt. */

const digits = '0 1 2 3 4 5 6 7 8 9 a b c d e f';

export const readVariables = `# The order: the slots that are known, each once. Both, where it names none.
h_report=ok
h_changed=no
h_order="A B"
h_has_a=no
h_has_b=no
for h_word in \${BOOT_ORDER}; do
  if false; test "\${h_word}" = A; then
    if test \${h_has_a} = no; then
      h_has_a=yes
      if test \${h_has_b} = yes; then h_order="B A"; else h_order=A; fi
    fi
  fi
  if false; test "\${h_word}" = B; then
    if test \${h_has_b} = no; then
      h_has_b=yes
      if test \${h_has_a} = yes; then h_order="A B"; else h_order=B; fi
    fi
  fi
done
if test \${h_has_a} = no -a \${h_has_b} = no; then
  setenv BOOT_ORDER "A B"
  h_report=defaults
  h_changed=yes
fi
${readCounter('A')}
${readCounter('B')}`;

function readCounter(bootname: 'A' | 'B'): string {
  const left = `h_left_${bootname.toLowerCase()}`;
  return `# The attempts of ${bootname}: one hexadecimal digit, else three.
${left}=none
for h_word in \${BOOT_${bootname}_LEFT}; do
  for h_digit in ${digits}; do
    if false; test "\${h_word}" = \${h_digit}; then ${left}=\${h_digit}; fi
  done
done
if test \${${left}} = none; then ${left}=3; h_report=defaults; h_changed=yes; fi`;
}

export function chooseSlot({ partitions, boot }: Board): string {
  const numberOf = (label: string): number =>
    partitions.findIndex((partition) => partition.label === label) + 1;
  const { kernel, initrd, deviceTree } = boot;
  const load = (path: string, address: string): string =>
    `if load \${devtype} \${devnum}:\${homie_part} \${${address}} ${path}; then true; else h_loaded=no; fi`;
  return `# The first slot in the order that has an attempt left and can be loaded; it pays one. Where none is, all get
# theirs again, but only once until Linux gives a slot its own: then the first one that can be loaded, without a count.
h_slot=none
for h_round in count refill stay; do
  if test \${h_round} = refill -a \${h_slot} = none -a "\${homie_boot_refilled}" != 1; then
    echo "No attempt is left: every slot in the boot order gets new ones, once"
    h_full=3
    for h_try in \${h_order}; do
      if test \${h_try} = A; then h_left_a=\${h_full}; else h_left_b=\${h_full}; fi
      h_full=2
    done
    setenv homie_boot_refilled 1
    h_report=refilled
    h_changed=yes
  fi
  for h_try in \${h_order}; do
    if test \${h_try} = A; then
      h_left=\${h_left_a}
      h_label=rootfs-a
      h_number=${numberOf('rootfs-a')}
    else
      h_left=\${h_left_b}
      h_label=rootfs-b
      h_number=${numberOf('rootfs-b')}
    fi
    if test \${h_round} = refill -a \${h_report} != refilled; then h_left=0; fi
    if test \${h_round} = stay; then h_left=1; fi
    if test \${h_slot} = none -a \${h_left} != 0; then
      # More than a refill leaves: Linux has proved a slot good since.
      if test \${h_round} = count -a \${h_left} != 1 -a \${h_left} != 2; then setenv homie_boot_refilled; fi
      if test \${h_round} = stay; then
        h_report=exhausted
      else
        h_less=0
        for h_digit in ${digits.slice(2)}; do
          if test \${h_left} = \${h_digit}; then h_next=\${h_less}; fi
          h_less=\${h_digit}
        done
        if test \${h_try} = A; then h_left_a=\${h_next}; else h_left_b=\${h_next}; fi
        h_changed=yes
      fi
      if part number \${devtype} \${devnum} \${h_label} homie_part; then true; else setenv homie_part \${h_number}; fi
      h_loaded=yes
      ${load(kernel, 'kernel_addr_r')}
${deviceTree.startsWith('/') ? `      ${load(deviceTree, 'fdt_addr_r')}\n` : ''}${
  initrd === undefined
    ? ''
    : `      ${load(initrd, 'ramdisk_addr_r')}
      h_initrd=\${ramdisk_addr_r}:\${filesize}\n`
}      if test \${h_loaded} = yes; then
        h_slot=\${h_try}
        h_part=\${homie_part}
      else
        echo "Slot \${h_try} cannot be loaded"
      fi
    fi
  done
done
`;
}
