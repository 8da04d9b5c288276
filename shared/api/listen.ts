import { lstatSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCodeOf, Failure, isMissing, reasonOf } from '../system/failure.ts';
import { makeFolder } from '../system/files/durable-file.ts';

/** What Bun.serve is asked for, and how it is shown. */

type Handler = (request: Request, server: Server) => Promise<Response>;
type Server = Bun.Server<undefined>;

/** Bun drops who says nothing for this long; a request's head that is not whole by then, too. */
const idleSeconds = 10;
/** Ours is less, and has an answer; this is for what has no length. */
const mostBodyBytes = 64 * 1024;
/** Who may talk to us through a socket: root, and the group of its folder's owner. */
const socketMask = 0o117;

/** Where it listens, `127.0.0.1:8081` or the path of a socket. Throws a Failure. */
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
    throw new Failure(`Cannot listen on "${where}": ${isTaken ? 'another program does' : reasonOf(error)}`, {
      cause: error,
      advice: 'See api_listen in orchestrator.yaml',
    });
  }
}

/** As a person would type it. */
export function addressOf(where: string, server: Server): string {
  return where.startsWith('/') ? where : server.url.href;
}

interface Common {
  fetch: Handler;
  error: (error: Error) => Response;
  maxRequestBodySize: number;
  /** Else Bun's own pages would show our insides. */
  development: false;
}

/** A socket that the service before us has left is taken away; anything else in its place stays. */
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
