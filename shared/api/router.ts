import { reasonOf } from '../system/failure.ts';
import { requireOwnPage } from './gate.ts';
import { HttpRefusal, problemOf } from './problem.ts';
import { type Route, routes, type Service } from './routes.ts';
import { requireToken } from './token.ts';

/** Handles one request, from the gate to the answer. Never throws: every error becomes an answer. */
export async function answer(
  request: Request,
  service: Service,
  letWait: (request: Request) => void,
): Promise<Response> {
  try {
    requireOwnPage(request.headers);
    const { route, name } = findRoute(request.method, pathOf(request.url));
    if (route.needsToken) requireToken(request.headers, service.device.config.update.apiTokenFile);
    if (route.isStream || route.mayWait) letWait(request);
    return harden(await route.answer(service, request, name));
  } catch (error) {
    const response = problemOf(error);
    if (response.status === 500) service.device.log.error(stackOf(error));
    return harden(response);
  }
}

/** A HEAD is a GET without the body; a stream has no HEAD. Throws a Refusal. */
function findRoute(method: string, path: string): { route: Route; name: string } {
  const there = routes.flatMap((route) => {
    const name = nameIn(path, route.path);
    return name === undefined ? [] : [{ route, name }];
  });
  if (there.length === 0) throw new HttpRefusal(404, 'There is no such path');
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = there.find(({ route }) => route.method === wanted && !(method === 'HEAD' && route.isStream));
  if (found !== undefined) return found;
  const allowed = there.map(({ route }) => route.method).join(', ');
  throw new HttpRefusal(405, `Only ${allowed} is known here`, { Allow: allowed });
}

/** The value for the name in braces; empty where the pattern has no name, undefined where the path does not match. */
function nameIn(path: string, pattern: string): string | undefined {
  const [before = '', after] = pattern.split(/\{\w+\}/);
  if (after === undefined) return path === pattern ? '' : undefined;
  const name = path.slice(before.length);
  return path.startsWith(before) && /^[\w-]+$/.test(name) ? name : undefined;
}

/** A strange Host or request target may not make a valid URL. */
function pathOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) throw new HttpRefusal(400, 'The URL is not valid');
  return parsed.pathname;
}

function harden(response: Response): Response {
  response.headers.set('X-Content-Type-Options', 'nosniff');
  response.headers.set('Referrer-Policy', 'no-referrer');
  response.headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  return response;
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : reasonOf(error);
}
