import { buildBundle, bundleChoices } from './shared/packaging/commands/bundle.ts';
import { buildHooks } from './shared/packaging/commands/hooks.ts';
import { buildImage, imageOptions } from './shared/packaging/commands/image.ts';
import { changeKeys, keyActions } from './shared/packaging/commands/keys.ts';
import { lint } from './shared/packaging/commands/lint.ts';
import { publish } from './shared/packaging/commands/publish.ts';
import { buildRootfs, rootfsOptions } from './shared/packaging/commands/rootfs.ts';
import { simulate } from './shared/packaging/commands/simulate.ts';
import { start } from './shared/packaging/commands/start.ts';
import { type ProgramSpec, parseArguments, type Values } from './shared/system/arguments.ts';
import type { Outcome } from './shared/system/exit-code.ts';
import { print } from './shared/system/print.ts';
import { type Running, runProgram } from './shared/system/program.ts';
import { programVersion } from './shared/system/version.ts';

/** What packs, signs and tries bundles: `bun build.ts <command>`. */

const target = {
  type: 'string',
  describe: 'What the programs run on',
  choices: ['arm64', 'x64'],
  default: 'arm64',
} as const;

const spec: ProgramSpec = {
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
          describe: 'Each program by itself, into dist/separate-hooks/, to compare sizes',
        },
        'fault-points': {
          type: 'boolean',
          describe: 'For tests: programs that die or hang where HOMIE_FAULT says',
        },
      },
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
    },
    {
      name: 'lint',
      summary: 'Find what RAUC would pack and a device would fail at',
      positionals: [{ name: 'path', describe: 'A folder to be packed, or a .raucb' }],
      options: {
        target,
        'rauc-min': {
          type: 'string',
          describe: 'The oldest RAUC that shall install it',
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
    },
    {
      name: 'bundle',
      summary: 'Pack, sign and verify a bundle in dist/',
      options: {
        target,
        board: {
          type: 'string',
          describe: 'What it is for, else a Jetson Nano with a card',
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
          describe: 'What the device trusts; the bundle is verified against it',
          value: 'PEM',
        },
        output: { type: 'string', describe: 'Else dist/homie-orchestrator-v<version>.raucb', value: 'FILE' },
      },
    },
    {
      name: 'rootfs',
      summary: 'Make a root file system for a board, of Debian packages; in dist/',
      options: rootfsOptions,
    },
    {
      name: 'image',
      summary: 'Make the image of a whole card for a board; in dist/',
      options: imageOptions,
    },
    {
      name: 'simulate',
      summary: 'Install a bundle on an embedded A/B device, with the real RAUC; nothing of it is left',
      options: {
        bundle: { type: 'string', describe: 'Else the one in dist/', value: 'FILE' },
        keyring: { type: 'string', describe: 'Else .keys/keyring.pem', value: 'PEM' },
        keep: { type: 'boolean', describe: 'Leave the device running for a look' },
        end: { type: 'string', describe: 'Take a kept device away', value: 'DIR' },
      },
    },
    {
      name: 'publish',
      summary: 'Upload a bundle to the server of a fleet, with its metadata; twice is as good as once',
      positionals: [{ name: 'bundle', describe: 'A .raucb; else the one in dist/', optional: true }],
      options: {
        hawkbit: { type: 'string', describe: "The server's address", value: 'URL' },
        'user-file': { type: 'string', describe: 'One line, user:password; chmod 600', value: 'FILE' },
        name: {
          type: 'string',
          describe: "What it is called there, else the bundle's compatible",
          value: 'NAME',
        },
      },
    },
    { name: 'start', summary: 'All of it: keys if there are none, hooks, bundle, simulate' },
  ],
  examples: [
    ['bun $0 bundle --rootfs focal.ext4 --version 1.2.0', 'A bundle for your board'],
    ['bun $0 keys rotate', 'A second root, trusted beside the first'],
    ['bun $0 lint dist/homie-orchestrator-v1.1.0.raucb', 'Would a Jetson Nano take it?'],
  ],
};

const stories: Record<string, (values: Values, running: Running) => Promise<Outcome>> = {
  hooks: buildHooks,
  keys: changeKeys,
  lint: (values) => lint(values),
  bundle: buildBundle,
  rootfs: buildRootfs,
  image: buildImage,
  simulate,
  publish,
  start: (_values, running) => start(running),
};

await runProgram({ name: 'build.ts', deadlineMs: 15 * 60_000 }, async (running) => {
  const args = process.argv.slice(2);
  if (args[0] === '--version') {
    print(1, `${programVersion}\n`);
    return 'done';
  }
  const parsed = await parseArguments(spec, args);
  if (parsed.kind === 'help') {
    print(1, `${parsed.text}\n`);
    return 'done';
  }
  const story = stories[parsed.command];
  if (story === undefined) throw new Error(`no story for ${parsed.command}`); // the spec and the table belong together
  return await story(parsed.values, running);
});
