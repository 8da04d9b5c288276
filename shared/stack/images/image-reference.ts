export interface ImageReference {
  /** Without the parts that docker omits in its own lists: `docker.io/library/redis` is `redis`. */
  repository: string;
  tag: string | undefined;
  digest: string | undefined;
}

/** Splits `registry:5000/homie/core:1.0@sha256:…` into its parts. */
export function parseReference(reference: string): ImageReference {
  const [name = '', digest] = reference.split('@', 2);
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  const repository = colon < 0 ? name : name.slice(0, colon);
  return {
    repository: repository.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, ''),
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  };
}

/** Whether the image comes from a registry on this machine: docker itself then speaks plain HTTP. */
export function isLocalRegistry(reference: string): boolean {
  return /^(?:127\.|localhost[:/]|\[::1\])/.test(reference);
}
