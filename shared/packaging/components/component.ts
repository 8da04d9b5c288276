/** Something by somebody else that ships with us. */
export interface Component {
  name: string;
  /** Undefined where its maker does not tell. */
  version: string | undefined;
  /** As SPDX writes it: one identifier, or several with AND, OR and WITH; undefined where its maker names none. */
  license: string | undefined;
  /** What calls it by name everywhere: https://github.com/package-url/purl-spec */
  purl: string;
  sha512?: string;
  /** The notice that its licence wants kept. */
  notice?: string;
}

export function byName(one: Component, other: Component): number {
  const [left, right] = [one, other].map(({ name, version }) => `${name} ${version}`);
  return left === right ? 0 : (left ?? '') < (right ?? '') ? -1 : 1;
}
