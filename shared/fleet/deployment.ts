import * as v from 'valibot';

/** The answers of the server (hawkBit's DDI), checked: only the fields that are used; other fields are ignored. */

const link = v.looseObject({ href: v.string() });

const baseSchema = v.looseObject({
  config: v.optional(
    v.looseObject({ polling: v.optional(v.looseObject({ sleep: v.optional(v.string()) })) }),
  ),
  _links: v.optional(
    v.looseObject({
      configData: v.optional(link),
      deploymentBase: v.optional(link),
      cancelAction: v.optional(link),
      confirmationBase: v.optional(link),
      installedBase: v.optional(link),
    }),
  ),
});

export interface Base {
  /** As the server writes it, `HH:mm:ss`. */
  sleep: string | undefined;
  links: {
    configData?: string | undefined;
    deploymentBase?: string | undefined;
    cancelAction?: string | undefined;
    confirmationBase?: string | undefined;
    installedBase?: string | undefined;
  };
}

export function parseBase(answer: unknown): Base {
  const { config, _links = {} } = v.parse(baseSchema, answer);
  return {
    sleep: config?.polling?.sleep,
    links: {
      configData: _links.configData?.href,
      deploymentBase: _links.deploymentBase?.href,
      cancelAction: _links.cancelAction?.href,
      confirmationBase: _links.confirmationBase?.href,
      installedBase: _links.installedBase?.href,
    },
  };
}

const cancelSchema = v.looseObject({ cancelAction: v.looseObject({ stopId: v.string() }) });

/** The id of the action to cancel. */
export function parseCancel(answer: unknown): string {
  return v.parse(cancelSchema, answer).cancelAction.stopId;
}

const handling = v.picklist(['skip', 'attempt', 'forced']);

const artifactSchema = v.looseObject({
  filename: v.string(),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  hashes: v.looseObject({ sha256: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/i))) }),
  _links: v.record(v.string(), link),
});

const workSchema = v.looseObject({
  download: handling,
  update: handling,
  maintenanceWindow: v.optional(v.picklist(['available', 'unavailable'])),
  chunks: v.array(
    v.looseObject({ name: v.string(), version: v.string(), artifacts: v.array(artifactSchema) }),
  ),
});

type Handling = v.InferOutput<typeof handling>;

export interface Artifact {
  filename: string;
  bytes: number;
  /** Null where the server sends none: then only the signature decides. */
  sha256: string | null;
  url: string;
}

export interface Deployment {
  actionId: string;
  download: Handling;
  update: Handling;
  /** Undefined: the server has no maintenance window. */
  maintenanceWindow: 'available' | 'unavailable' | undefined;
  /** The version that the server names. */
  version: string;
  artifact: Artifact;
}

/** An action that cannot be carried out, with its id for the report. */
export interface Unusable {
  actionId: string;
  problem: string;
}

const deploymentSchema = v.looseObject({ id: v.string(), deployment: workSchema });
const confirmationSchema = v.looseObject({ id: v.string(), confirmation: workSchema });

export function parseDeployment(answer: unknown): Deployment | Unusable {
  const { id, deployment } = v.parse(deploymentSchema, answer);
  return offerOf(id, deployment);
}

export function parseConfirmation(answer: unknown): Deployment | Unusable {
  const { id, confirmation } = v.parse(confirmationSchema, answer);
  return offerOf(id, confirmation);
}

export function isOffer(answer: Deployment | Unusable): answer is Deployment {
  return 'artifact' in answer;
}

/** Requires exactly one bundle among the artifacts; the other artifacts are for other programs. */
function offerOf(actionId: string, work: v.InferOutput<typeof workSchema>): Deployment | Unusable {
  const { download, update, maintenanceWindow, chunks } = work;
  const bundles = chunks.flatMap(({ version, artifacts }) =>
    artifacts
      .filter(({ filename }) => filename.endsWith('.raucb'))
      .map((artifact) => ({ version, artifact })),
  );
  const [bundle, ...others] = bundles;
  if (bundle === undefined) return { actionId, problem: 'there is no bundle (.raucb) among its artifacts' };
  if (others.length > 0) {
    const names = bundles.map(({ artifact }) => artifact.filename).join(', ');
    return { actionId, problem: `there are several bundles among its artifacts: ${names}` };
  }
  const { filename, size, hashes, _links } = bundle.artifact;
  const url = (_links['download'] ?? _links['download-http'])?.href;
  if (url === undefined) return { actionId, problem: `the server does not say where "${filename}" is` };
  return {
    actionId,
    download,
    update,
    maintenanceWindow,
    version: bundle.version,
    artifact: { filename, bytes: size, sha256: hashes.sha256?.toLowerCase() ?? null, url },
  };
}
