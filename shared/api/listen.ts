import { lstatSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCodeOf, Failure, isMissing, reasonOf } from '../system/failure.ts';
import { makeFolder } from '../system/files/durable-file.ts';

/** Starts the HTTP server on an address or a socket. */

type Handler = (request: Request, server: Server) => Promise<Response>;
type Server = Bun.Server<undefined>;

/** Bun closes a connection that is silent for this long, or whose request head is incomplete by then. */
const idleSeconds = 10;
/** The limit in body.ts is lower, and answers with an error; this one is for a body without a length. */
const mostBodyBytes = 64 * 1024;
/** Only root and the group of the folder's owner may connect to a socket. */
const socketMask = 0o117;

/** `where` is an address such as `127.0.0.1:8081`, or the path of a socket. Throws a Failure. */
export function listen(where: string, handler: Handler, onError: (error: Error) => Response): Server {
  const common = {
    fetch: handler,
    error: onError,
    maxRequestBodySize: mostBodyBytes,
    development: false,
  } as const;
  try {
    if (where.startsWith('/')) return listenOnSocket(where, common);
    const [, hostname = '', port = ''] = /^\[?(.+?)\]?:(\d+)$/.exec(where) ?? [];
    return Bun.serve({ ...common, hostname, port: Number(port), idleTimeout: idleSeconds });
  } catch (error) {
    const isTaken = errorCodeOf(error) === 'EADDRINUSE';
    throw new Failure(
      `Cannot listen on "${where}": ${isTaken ? 'another program listens there' : reasonOf(error)}`,
      {
        cause: error,
        advice: 'See api_listen in orchestrator.yaml',
      },
    );
  }
}

/** The address as a user would type it. */
export function addressOf(where: string, server: Server): string {
  return where.startsWith('/') ? where : server.url.href;
}

interface Common {
  fetch: Handler;
  error: (error: Error) => Response;
  maxRequestBodySize: number;
  /** In development mode Bun's own error pages would show internal details. */
  development: false;
}

/** Removes a socket that the previous service has left; any other file in its place stays. */
function listenOnSocket(path: string, common: Common): Server {
  makeFolder(dirname(path));
  if (isSocket(path)) rmSync(path);
  const before = process.umask(socketMask);
  try {
    return Bun.serve({ ...common, unix: path });
  } finally {
    process.umask(before);
  }
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
