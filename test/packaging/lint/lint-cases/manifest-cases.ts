import { rmSync } from 'node:fs';
import { append, edit, end, type LintCase, manifest, on, within } from './lint-case.ts';

const compatible = on('compatible=jetson-nano-homie');
const version = on('version=1.1.0');
const afterVersion = on('version=1.1.0', 1);
const format = on('format=plain');
const inImage = on('filename=rootfs.ext4', 1);
const intoImage = (line: string) => edit('hooks=pre', `${line}\nhooks=pre`);
const intoUpdate = (line: string) => edit('description', `${line}\ndescription`);
const variable = ['$', '{BOARD}'].join('');

export const manifestCases: readonly LintCase[] = [
  ['no manifest', 'manifest-missing', `error ${manifest}`, (folder) => rmSync(within(folder, manifest))],
  ['a line without =', 'unreadable-line', `error ${end}`, append('verbose')],
  ['an unknown group', 'unknown-group', `error ${end}`, append('[custom]')],
  ['an unknown key', 'unknown-key', `error ${end}`, append('timeout=5')],
  ['a key that every object has', 'unknown-key', `error ${end}`, append('constructor=5')],
  ['type= for RAUC 1.8', 'key-too-new', `error ${inImage}`, intoImage('type=ext4')],
  ['a rollout group for RAUC 1.8', 'key-too-new', `error ${end}`, append('[rollout]')],
  ['formats for RAUC 1.4', 'key-too-new', `error ${on('[bundle]')}`, () => {}, { raucMin: '1.4' }],
  ['crypt for RAUC 1.6', 'key-too-new', `error ${format}`, edit('=plain', '=crypt'), { raucMin: '1.6' }],
  ['meta for RAUC 1.8', 'key-ignored', `warning ${end}`, append('[meta.homie]\nschema=4')],
  ['an image version', 'key-ignored', `warning ${inImage}`, intoImage('version=2'), { raucMin: '1.13' }],
  ['a key given twice', 'duplicate-key', `warning ${version}`, intoUpdate('version=1.1.0')],
  ['a digest by hand', 'generated-key', `error ${inImage}`, intoImage('sha256=00')],
  ['an unknown format', 'unknown-value', `error ${format}`, edit('=plain', '=squashfs')],
  ['an unknown adaptive method', 'unknown-value', `error ${inImage}`, intoImage('adaptive=zsync')],
  [
    'a min-rauc-version that none accepts',
    'unknown-value',
    `error ${afterVersion}`,
    intoUpdate('min-rauc-version=1.13'),
    { raucMin: '1.15' },
  ],
  ['a command', 'unexpanded-value', `error ${afterVersion}`, intoUpdate('build=$(date)')],
  ['backticks', 'unexpanded-value', `error ${afterVersion}`, intoUpdate('build=`date`')],
  ['a variable', 'unexpanded-value', `error ${compatible}`, edit('jetson', variable)],
  ['a placeholder', 'unexpanded-value', `error ${afterVersion}`, intoUpdate('build=@BUILD_ID@')],
  ['a space behind a value', 'literal-value', `error ${compatible}`, edit('homie\n', 'homie \n')],
  ['a comment behind a value', 'literal-value', `error ${compatible}`, edit('homie\n', 'homie # ours\n')],
  ['a quoted value', 'literal-value', `error ${compatible}`, edit('jetson-nano-homie', '"jetson"')],
  ['a quoted description', 'literal-value', `warning ${afterVersion}`, edit('Issue #12 is "gone"', '"gone"')],
  ['an unknown escape', 'literal-value', `error ${afterVersion}`, edit('Issue', 'C:\\data')],
  ['an empty compatible', 'compatible-missing', `error ${compatible}`, edit('jetson-nano-homie', '')],
  [
    'no compatible',
    'compatible-missing',
    `error ${on('[update]')}`,
    edit('compatible=jetson-nano-homie\n', ''),
  ],
  ['no version', 'version-missing', `error ${on('[update]')}`, edit('version=1.1.0\n', '')],
  ['a version of two numbers', 'version-not-semantic', `error ${version}`, edit('1.1.0', '1.1')],
  ['a version with a v', 'version-not-semantic', `error ${version}`, edit('1.1.0', 'v1.1.0')],
  [
    'an artifact in a plain bundle',
    'artifact-in-plain',
    `error ${end}`,
    append('[image.apps/homie]\nfilename=rootfs.ext4'),
    { raucMin: '1.13' },
  ],
];
