import { FleetServer } from './fleet-server.ts';

/** `npm run fleet:server [-- PORT]`: a hawkBit to try things with, until Ctrl-C; nothing of it is kept. */
await using server = await FleetServer.start(Number(process.argv[2] ?? 8090));
process.stdout.write(`hawkBit ${FleetServer.version} on ${server.url}, user admin, password admin\n`);
await new Promise<void>((resolve) => {
  process.once('SIGINT', () => resolve());
  process.once('SIGTERM', () => resolve());
});
