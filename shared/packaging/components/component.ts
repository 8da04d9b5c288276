/** A third-party component that is shipped with our bundles. */
export interface Component {
  name: string;
  /** Undefined where it is unknown. */
  version: string | undefined;
  /** An SPDX expression: one identifier, or several with AND, OR and WITH; undefined where no single expression is known. */
  license: string | undefined;
  /** The package URL, its name in all tools: https://github.com/package-url/purl-spec */
  purl: string;
  sha512?: string;
  /** The notice that its licence requires us to ship. */
  notice?: string;
}

export function byName(one: Component, other: Component): number {
  const [left, right] = [one, other].map(({ name, version }) => `${name} ${version}`);
  return left === right ? 0 : (left ?? '') < (right ?? '') ? -1 : 1;
}
