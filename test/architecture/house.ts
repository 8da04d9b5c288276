/** The plan of the house: which room may import which, from the ground floor upwards. docs/architecture.md says why. */

export const rooms: Record<string, readonly string[]> = {
  hooks: ['hooks', 'api', 'fleet', 'update', 'rauc', 'data', 'stack', 'transfer', 'config', 'system'],
  api: ['api', 'update', 'rauc', 'config', 'system'],
  fleet: ['fleet', 'update', 'rauc', 'data', 'transfer', 'config', 'system'],
  update: ['update', 'rauc', 'data', 'stack', 'transfer', 'config', 'system'],
  rauc: ['rauc', 'system'],
  data: ['data', 'system'],
  stack: ['stack', 'config', 'system'],
  transfer: ['transfer', 'config', 'system'],
  config: ['config', 'system'],
  system: ['system'],
  'build.ts': ['packaging', 'system'],
  packaging: ['packaging', 'rauc', 'config', 'system'],
};

/** Files in another room that may be imported anyway. */
export const exceptions: Record<string, readonly string[]> = {
  // The slots of an image are filled just as post-install fills one.
  packaging: [
    'shared/update/slot/program-names.ts',
    'shared/update/slot/slot-content.ts',
    'shared/update/slot/release.ts',
    // And a bundle is uploaded through the one door to the network, with a password from a file.
    'shared/transfer/request/http.ts',
    'shared/transfer/request/credentials.ts',
  ],
  // A health check is one request; it needs the door to ky, and nothing of how bundles are fetched.
  stack: ['shared/transfer/request/http.ts'],
  system: ['package.json'],
};

/** Packages with one door each. */
export const doors: Record<string, string> = {
  zx: 'shared/system/process/command.ts',
  ky: 'shared/transfer/request/http.ts',
  archiver: 'shared/data/archive/archive.ts',
  yargs: 'shared/system/terminal/arguments.ts',
};

/** What is started rather than imported. */
export const programs = ['hooks/main.ts', 'build.ts', 'shared/packaging/simulator/health-server.ts'];

const packed = ['lint', 'board', 'format', ''];
const report = ['boot', 'install', 'admission', 'schedule', 'slot', 'transaction'];

/** Which of its rooms may import which, for a room that has some; '' is what lies beside them. */
export const subRooms: Record<string, Record<string, readonly string[]>> = {
  'shared/system': {
    '': [],
    files: [''],
    terminal: ['files', ''],
    process: ['terminal', 'files', ''],
  },
  'shared/data': { archive: [], backups: [], database: ['archive'], redis: ['archive', 'database'] },
  'shared/packaging': {
    '': [],
    format: [''],
    board: ['format', ''],
    pki: [''],
    lint: ['format', ''],
    device: ['board', 'format', ''],
    bundle: packed,
    'boot-script': ['bundle', ...packed],
    root: ['bundle', 'device', ...packed],
    'disk-image': ['bundle', 'device', 'root', ...packed],
    components: ['bundle', 'root', ...packed],
    reference: ['format', ''],
    simulator: ['device', ''],
    commands: [
      ...[
        'boot-script',
        'bundle',
        'components',
        'device',
        'disk-image',
        'pki',
        'reference',
        'root',
        'simulator',
      ],
      ...packed,
    ],
  },
  'shared/stack': { '': [], health: [''], images: [''] },
  'shared/transfer': { request: [], download: ['request'], source: ['download', 'request'] },
  'shared/update': {
    transaction: [],
    schedule: [],
    slot: [],
    data: ['transaction'],
    admission: ['schedule', 'slot', 'transaction'],
    boot: ['data', 'transaction'],
    install: ['boot', 'admission', 'data', 'slot', 'transaction'],
    repair: ['boot', 'data', 'slot', 'transaction'],
    report,
    doctor: ['report', 'admission', 'schedule', 'slot', 'transaction'],
    commands: [...report, 'doctor', 'repair', 'report', 'data'],
  },
};
