/** What the rules want to know of a TypeScript file. */
export interface Source {
  /** From the project's folder: `shared/system/terminal/log.ts`. */
  readonly path: string;
  readonly imports: readonly Import[];
  readonly lines: number;
  readonly isBarrel: boolean;
  readonly usesConsole: boolean;
  /** The statements that do something as soon as the file is imported. */
  readonly effects: readonly string[];
}

interface Import {
  /** As it is written: `./log.ts`, `node:fs`, `zx/core`. */
  readonly name: string;
  readonly kind: 'value' | 'type' | 'dynamic';
}

const statement = /^(import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'[^;]*;/gm;
const dynamic = /\bimport\(\s*(?:'([^']+)')?/g;

/** Reads a formatted file; whether it reads all imports is for the test to compare with bun. */
export function readSource(path: string, text: string): Source {
  const code = maskTexts(new Bun.Transpiler({ loader: 'ts' }).transformSync(text));
  const imports: Import[] = [];
  for (const [, , type, name = ''] of text.matchAll(statement))
    imports.push({ name, kind: type === undefined ? 'value' : 'type' });
  for (const [, name = 'a computed name'] of text.matchAll(dynamic)) imports.push({ name, kind: 'dynamic' });
  return {
    path,
    imports,
    lines: text.trimEnd().split('\n').length,
    isBarrel: /^export .*\bfrom\b/ms.test(text) && withoutComments(text).replace(statement, '').trim() === '',
    usesConsole: /\bconsole\s*[.[]/.test(code),
    effects: code.split('\n').filter(isEffect),
  };
}

/** bun prints each statement of the file from the first column, and nothing else there. */
function isEffect(line: string): boolean {
  if (line.trim() === '' || /^[\s}\])]/.test(line)) return false;
  const declares = /^(export\s+)?(import|export|(async\s+)?function|class|const|let|var)\b/.test(line);
  return !declares || /=\s*await\b/.test(line) || /^import\(/.test(line);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\//gs, '').replace(/^\s*\/\/.*$/gm, '');
}

const quoted = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/.source;
const regularExpression =
  /(?<=[(,=:[!&|?{};]\s*|return )\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/.source;

/** Takes the content out of strings, templates and regular expressions, so that only code is left. */
function maskTexts(code: string): string {
  let template = '`(?:\\\\[^]|[^`\\\\])*`';
  for (let depth = 0; depth < 4; depth += 1) {
    const inside = `(?:${quoted}|${template}|\\{[^{}]*\\}|[^{}"'\`])*`;
    template = `\`(?:\\\\[^]|\\$\\{${inside}\\}|\\$(?!\\{)|[^\`\\\\$])*\``;
  }
  return code.replace(new RegExp(`${quoted}|${template}|${regularExpression}`, 'g'), '""');
}
