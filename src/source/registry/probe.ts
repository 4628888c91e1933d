import { randomUUID } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { LIMITS } from '../../base/limits.ts';
import { repositoryName, type RegistryReference } from '../../oci/reference.ts';
import { registryOrigin } from './endpoint.ts';
import { probeBlobs, type Probing } from './probe-blobs.ts';
import { probeManifests } from './probe-manifests.ts';
import { askQuestions, type Questions } from './probe-questions.ts';
import { FEATURES, probed, type Feature, type ProbeAnswer, type ProbeReport } from './probe-report.ts';
import { probeTrail, type ProbeTrail } from './probe-trail.ts';
import type { RegistryOptions } from './registry.ts';
import { createRepositoryClient, type RepositoryClient } from './repository-client.ts';
import { openRegistrySession } from './session.ts';

export interface ProbeOptions extends Pick<RegistryOptions, 'plainHttp' | 'credential' | 'credentialFile' | 'tls'> {
  /** Push although it cannot all be removed again: a few hundred bytes stay, and are named. */
  readonly allowLeftovers?: boolean;
}

/**
 * Finds out what a registry can do, by trying it in a repository. First only questions are asked that store nothing; when
 * their answers say that everything can be removed again, small things are pushed, looked at, and removed, last first, also
 * when the run fails or is interrupted.
 *
 * @throws BoltsealError the registry's codes when it cannot be reached or refuses the credentials
 */
export async function probeRepository(
  reference: RegistryReference,
  options: ProbeOptions,
  context: Context,
): Promise<ProbeReport> {
  await using session = openRegistrySession(options, context);
  const client = clientOf(reference, options, { session, context });
  const questions = await askQuestions(client, context);
  const nothingPushed = options.allowLeftovers === true ? undefined : whyNotPush(questions);
  const repository = repositoryName(reference);
  if (nothingPushed !== undefined)
    return { repository, answers: complete(questions.answers, 'not tried'), nothingPushed, leftovers: [] };
  const trail = probeTrail();
  let answers: readonly ProbeAnswer[] = [];
  let leftovers: readonly string[] = [];
  try {
    const probing: Probing = { client, trail, nonce: randomUUID() };
    answers = [...(await probeBlobs(probing, context)), ...(await probeManifests(probing, context))];
  } finally {
    leftovers = await tidy(trail, { reference, options }, context);
    for (const what of leftovers)
      context.emit({ kind: 'warning', message: `${repository}: ${what} could not be removed and is still there` });
  }
  const deletions = leftovers.some((what) => what.includes('manifest'))
    ? [probed('deleteManifest', 'no', 'a manifest could not be removed')]
    : [probed('deleteManifest', 'yes', 'removed what was pushed')];
  return { repository, answers: complete([...answers, ...deletions, ...questions.answers], 'not tried'), leftovers };
}

function whyNotPush({ repositoryExists, answers }: Questions): string | undefined {
  if (!repositoryExists) return 'the repository does not exist, and pushing would create it for good';
  const cannot = NEEDED.filter((feature) => answers.some((each) => each.feature === feature && each.answer !== 'yes'));
  return cannot.length === 0
    ? undefined
    : `it could not be removed again (${cannot.map((feature) => FEATURES[feature]).join(', ')})`;
}

const NEEDED: readonly Feature[] = ['deleteManifest', 'deleteBlob'];

/** The first answer of each feature counts: what was tried before what was only asked. */
function complete(answers: readonly ProbeAnswer[], missing: string): readonly ProbeAnswer[] {
  const features = Object.keys(FEATURES) as readonly Feature[];
  return features.map(
    (feature) => answers.find((each) => each.feature === feature) ?? probed(feature, 'unknown', missing),
  );
}

interface Opened {
  readonly session: ReturnType<typeof openRegistrySession>;
  readonly context: Context;
}

function clientOf(
  { host, repository }: RegistryReference,
  { plainHttp, credential, tls }: ProbeOptions,
  { session, context }: Opened,
): RepositoryClient {
  const origin = registryOrigin(host, plainHttp);
  if (tls !== undefined) session.tls.use(origin, tls);
  return createRepositoryClient({ host, repository, origin, credential }, session, context);
}

/** With connections of its own that Ctrl-C does not end: what was begun has to be tidied up. */
async function tidy(
  trail: ProbeTrail,
  { reference, options }: { readonly reference: RegistryReference; readonly options: ProbeOptions },
  context: Context,
): Promise<readonly string[]> {
  const own = { ...context, signal: AbortSignal.timeout(LIMITS.probeTidyMs) };
  await using session = openRegistrySession(options, own);
  return await trail.tidy(clientOf(reference, options, { session, context: own }));
}
