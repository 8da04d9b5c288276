import type { ProgramSpec } from '../../system/terminal/arguments.ts';
import { programVersion } from '../../system/version.ts';
import { bundleChoices } from './bundle.ts';
import { imageOptions } from './image.ts';
import { keyActions } from './keys.ts';
import { rootfsOptions } from './rootfs.ts';

const target = {
  type: 'string',
  describe: 'The processor of the device',
  choices: ['arm64', 'x64'],
  default: 'arm64',
} as const;

/** The command line of build.ts: every command with its arguments and options. */
export const buildSpec: ProgramSpec = {
  name: 'build.ts',
  summary: 'compile the programs, make keys, pack and sign bundles, try them',
  commands: [
    {
      name: 'hooks',
      summary: 'Compile the programs into dist/update-hooks/',
      options: {
        target,
        separate: {
          type: 'boolean',
          describe: 'Each program as a separate file, into dist/separate-hooks/, to compare sizes',
        },
        'fault-points': {
          type: 'boolean',
          describe: 'For tests: programs that die or hang at the point in HOMIE_FAULT',
        },
      },
      examples: [
        ['bun $0 hooks', 'For boards'],
        ['bun $0 hooks --target x64', 'To try them on this machine'],
      ],
    },
    {
      name: 'keys',
      summary: 'Make development keys in .keys/, or change them; nothing is ever overwritten',
      positionals: [
        {
          name: 'action',
          describe: `${keyActions.join(', ')} (else create)`,
          optional: true,
          choices: keyActions,
        },
      ],
      examples: [
        ['bun $0 keys', 'A root, a signer under it, and the keyring for devices'],
        ['bun $0 keys rotate', 'A second root, trusted beside the first'],
      ],
    },
    {
      name: 'lint',
      summary: 'Find faults that RAUC would pack and that would fail on a device',
      positionals: [{ name: 'path', describe: 'A folder to be packed, or a .raucb' }],
      options: {
        target,
        'rauc-min': {
          type: 'string',
          describe: 'The oldest RAUC that must be able to install it',
          default: '1.8',
          value: 'VERSION',
        },
        'kernel-min': { type: 'string', describe: 'The oldest kernel', default: '4.9', value: 'VERSION' },
        'glibc-max': {
          type: 'string',
          describe: 'The C library of the device',
          default: '2.27',
          value: 'VERSION',
        },
        'slot-type': {
          type: 'string',
          describe: 'The type of the slot in system.conf',
          default: 'ext4',
          value: 'TYPE',
        },
        cert: { type: 'string', describe: 'The certificate that will sign it', value: 'PEM' },
      },
      examples: [['bun $0 lint FOLDER', 'Before it is packed']],
    },
    {
      name: 'bundle',
      summary: 'Pack, sign and verify a bundle in dist/, with a CycloneDX list of its parts',
      options: {
        target,
        board: {
          type: 'string',
          describe: 'The board, else a Jetson Nano with a card',
          value: 'NAME',
        },
        rootfs: { type: 'string', describe: 'The image of the root file system, else a demo', value: 'FILE' },
        version: {
          type: 'string',
          describe: 'A semantic version, else that of package.json',
          value: 'VERSION',
        },
        format: {
          type: 'string',
          describe: 'Of the bundle',
          choices: bundleChoices.formats,
          default: 'plain',
        },
        compress: {
          type: 'string',
          describe: 'Of the payload',
          choices: bundleChoices.compressions,
          default: 'xz',
        },
        cert: { type: 'string', describe: "The signer's certificate, else .keys/", value: 'PEM' },
        key: {
          type: 'string',
          describe: 'Its key; a passphrase goes into RAUC_KEY_PASSPHRASE',
          value: 'PEM|pkcs11:URL',
        },
        intermediate: { type: 'string', describe: 'A certificate between signer and root', value: 'PEM' },
        keyring: {
          type: 'string',
          describe: 'The certificates that the device trusts; the bundle is verified against them',
          value: 'PEM',
        },
        output: { type: 'string', describe: 'Else dist/homie-orchestrator-v<version>.raucb', value: 'FILE' },
      },
      examples: [
        ['bun $0 bundle', 'A demo, signed with the development keys'],
        ['bun $0 bundle --rootfs focal.ext4 --version 1.2.0', 'A bundle for your board'],
        ['bun $0 bundle --cert C.pem --key pkcs11:token=homie --keyring K.pem', 'Signed in a token'],
      ],
    },
    {
      name: 'rootfs',
      summary: 'Make a root file system for a board, of Debian packages; in dist/',
      options: rootfsOptions,
      examples: [
        ['bun $0 rootfs --board qemu-arm64', 'For the emulated board'],
        ['bun $0 rootfs --board jetson-nano-sd --kernel BSP', 'With the kernel of a BSP'],
      ],
    },
    {
      name: 'image',
      summary: 'Make the image of a whole card for a board; in dist/',
      options: imageOptions,
      examples: [
        [
          'bun $0 image --board jetson-nano-sd --device /dev/sdX',
          'Fitted to that card, which is only looked at',
        ],
      ],
    },
    {
      name: 'simulate',
      summary:
        'Install a bundle on an embedded A/B device, with the real RAUC; removes the device afterwards',
      options: {
        bundle: { type: 'string', describe: 'Else the one in dist/', value: 'FILE' },
        keyring: { type: 'string', describe: 'Else .keys/keyring.pem', value: 'PEM' },
        keep: { type: 'boolean', describe: 'Keep the device running, to inspect it' },
        end: { type: 'string', describe: 'Remove a kept device', value: 'DIR' },
      },
      examples: [
        ['bun $0 simulate', 'Install the bundle in dist/ on an embedded device'],
        ['bun $0 simulate --keep', 'Keep it running, to inspect it'],
      ],
    },
    {
      name: 'publish',
      summary: 'Upload a bundle to the server of a fleet, with its metadata; running it twice is safe',
      positionals: [{ name: 'bundle', describe: 'A .raucb; else the one in dist/', optional: true }],
      options: {
        hawkbit: { type: 'string', describe: "The server's address", value: 'URL' },
        'user-file': { type: 'string', describe: 'One line, user:password; chmod 600', value: 'FILE' },
        name: {
          type: 'string',
          describe: "Its name there, else the bundle's compatible",
          value: 'NAME',
        },
      },
      examples: [
        [
          'bun $0 publish --hawkbit https://hawkbit.example.org --user-file hawkbit.user',
          'As CI would, the bundle in dist/',
        ],
      ],
    },
    {
      name: 'licenses',
      summary: 'Write THIRD-PARTY.md: the compiled-in packages, with authors and licences',
      examples: [['bun $0 licenses', 'After a package was added, removed or changed']],
    },
    {
      name: 'reference',
      summary: 'Write the tables of docs/configuration.md from the keys of the programs',
      examples: [['bun $0 reference', 'After a key of the configuration was added, removed or changed']],
    },
    {
      name: 'notes',
      summary: 'Print what CHANGELOG.md says of this version; fails if it says nothing yet',
      positionals: [{ name: 'tag', describe: 'The released tag, as v1.2.0', optional: true }],
      examples: [['bun $0 notes v1.2.0', 'The notes of that tag']],
    },
    {
      name: 'all',
      summary: 'Run all steps that need no privilege: keys if there are none, hooks, bundle, lint',
      examples: [['bun $0 all', 'What npm run build runs']],
    },
    {
      name: 'start',
      summary: 'Run the same, then simulate',
      examples: [['bun $0 start', 'What npm start runs']],
    },
  ],
  examples: [
    ['bun $0 bundle --rootfs focal.ext4 --version 1.2.0', 'A bundle for your board'],
    ['bun $0 keys rotate', 'A second root, trusted beside the first'],
    [`bun $0 lint dist/homie-orchestrator-v${programVersion}.raucb`, 'Can a Jetson Nano install it?'],
  ],
};
