/** One test of a file, as bun writes it into JUnit's XML. */
export interface Case {
  name: string;
  outcome: 'passed' | 'failed' | 'skipped';
  seconds: number;
  /** Why it failed. */
  message?: string;
}

export function readCases(xml: string): Case[] {
  return [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(
    ([, head = '', body = '']) => {
      const attribute = (name: string, text = head): string | undefined => {
        const [, value] = new RegExp(`(?:^| )${name}="([^"]*)"`).exec(text) ?? [];
        return value === undefined ? undefined : plainOf(value);
      };
      const message = attribute('message', /<failure ([^>]*)>/.exec(body)?.[1] ?? '');
      return {
        name: attribute('name') ?? '',
        outcome: body.includes('<failure') ? 'failed' : body.includes('<skipped') ? 'skipped' : 'passed',
        seconds: Number(attribute('time')),
        ...(message === undefined ? {} : { message }),
      };
    },
  );
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function plainOf(text: string): string {
  return text.replace(/&(#?\w+);/g, (whole, name: string) => {
    if (!name.startsWith('#')) return entities[name] ?? whole;
    const isHex = name[1] === 'x';
    return String.fromCodePoint(Number.parseInt(name.slice(isHex ? 2 : 1), isHex ? 16 : 10));
  });
}
