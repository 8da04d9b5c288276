import { connect } from 'node:net';

/** QEMU starts it for each connection of the board: `forward.ts PORT`, the board's bytes on stdin and stdout. */
const line = connect(Number(process.argv[2]), '127.0.0.1');
process.stdin.pipe(line);
line.pipe(process.stdout);
line.on('error', () => process.exit(1));
line.on('close', () => process.exit(0));
