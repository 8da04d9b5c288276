import { Failure } from '../../../shared/system/failure.ts';

/** A port of 127.0.0.1 that is free now. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  if (port === 0) throw new Failure('Cannot find a free port: the system gave none');
  return port;
}
