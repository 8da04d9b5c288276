import { dirname, join } from 'node:path/posix';
import { doors, exceptions, programs, rooms, subRooms } from './house.ts';
import type { Source } from './source.ts';

/** The house's rules for what may import what. Each answers with what breaks it, one line each. */

export function wrongDirections(sources: readonly Source[]): string[] {
  return eachImport(sources, ({ path }, name, target) => {
    if (target === undefined) return undefined;
    const room = roomOf(path);
    const mayImport = rooms[room]?.includes(roomOf(target)) || exceptions[room]?.includes(target);
    // A text file of the project is data, whichever room reads it.
    const isText = !/\.[cm]?[jt]sx?$/.test(target) && !target.endsWith('.json') && !isOutside(target);
    return mayImport || isText ? undefined : `${path} imports ${name}: ${room} may not import ${target}`;
  });
}

/** The same inside of a room that has rooms itself. A file beside these stands in none. */
export function wrongSubRooms(sources: readonly Source[]): string[] {
  return eachImport(sources, ({ path }, name, target) => {
    const [base, own] = subRoomOf(path);
    const [otherBase, other] = subRoomOf(target ?? '');
    const known = base === undefined ? undefined : subRooms[base];
    if (known === undefined || base !== otherBase || own === other) return undefined;
    const mayImport = known[own]?.includes(other);
    return mayImport ? undefined : `${path} imports ${name}: ${own} may not import ${other}`;
  });
}

export function wrongDoors(sources: readonly Source[]): string[] {
  return eachImport(sources, ({ path }, name, target) => {
    const door = target === undefined ? doors[packageOf(name)] : undefined;
    return door === undefined || door === path ? undefined : `${path} imports ${name}: only ${door} may`;
  });
}

export function computedImports(sources: readonly Source[]): string[] {
  return eachImport(sources, ({ path }, name) =>
    name === 'a computed name' ? `${path} imports ${name}` : undefined,
  );
}

/** Every file that can be reached from itself, with the way. */
export function cycles(sources: readonly Source[]): string[] {
  const known = new Map(sources.map((source) => [source.path, source]));
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) {
      found.add([...way.slice(start), path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const { name } of known.get(path)?.imports ?? []) {
      const target = targetOf(path, name);
      if (target !== undefined && known.has(target)) visit(target, [...way, path]);
    }
    done.add(path);
  };
  for (const { path } of sources) visit(path, []);
  return [...found];
}

export function barrels(sources: readonly Source[]): string[] {
  return sources
    .filter(({ isBarrel }) => isBarrel)
    .map(({ path }) => `${path} only passes on what others export`);
}

export function importTimeEffects(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => !programs.includes(path))
    .flatMap(({ path, effects }) =>
      effects.map((effect) => `${path} does this when it is imported: ${effect}`),
    );
}

export function consoleUses(sources: readonly Source[]): string[] {
  return sources.filter(({ usesConsole }) => usesConsole).map(({ path }) => `${path} uses console`);
}

export function longFiles(sources: readonly Source[], mostLines: number): string[] {
  return sources
    .filter(({ lines }) => lines > mostLines)
    .map(({ path, lines }) => `${path} has ${lines} lines`);
}

/** What one can no longer look over: a room with so many files has rooms in it. */
export function fullFolders(paths: readonly string[], mostFiles: number): string[] {
  return [...Map.groupBy(paths, (path) => dirname(path))]
    .filter(([, files]) => files.length > mostFiles)
    .map(([folder, { length }]) => `${folder} holds ${length} files`)
    .sort();
}

function eachImport(
  sources: readonly Source[],
  check: (source: Source, name: string, target: string | undefined) => string | undefined,
): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap(({ name }) => check(source, name, targetOf(source.path, name)) ?? []),
  );
}

/** The file that is meant, from the project's folder; none for a package. */
function targetOf(path: string, name: string): string | undefined {
  if (name.startsWith('/')) return name;
  return name.startsWith('.') ? join(dirname(path), name) : undefined;
}

/** `shared/system/terminal/log.ts` → `system`, `hooks/main.ts` → `hooks`, `build.ts` → itself. */
function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'shared' ? second : first;
}

/** `shared/update/boot/trial.ts` → `shared/update` and `boot`. */
function subRoomOf(path: string): [base: string | undefined, room: string] {
  const base = Object.keys(subRooms).find((room) => path.startsWith(`${room}/`));
  if (base === undefined) return [undefined, ''];
  const [room = '', ...more] = path.slice(base.length + 1).split('/');
  return [base, more.length === 0 ? '' : room];
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

function isOutside(path: string): boolean {
  return path.startsWith('../') || path.startsWith('/') || path.startsWith('test/');
}
