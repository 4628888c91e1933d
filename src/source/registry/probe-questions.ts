import { createHash, randomBytes } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { LIMITS } from '../../base/limits.ts';
import { finishDigest, type Digest } from '../../oci/digest.ts';
import { discardBody } from '../http.ts';
import { isUnknownRepository, nameOf } from './manifests.ts';
import { probed, type Feature, type ProbeAnswer } from './probe-report.ts';
import { askReferrersApi } from './referrers-api.ts';
import type { RepositoryClient } from './repository-client.ts';
import { readProblems } from './response-error.ts';

/** What can be found out without storing anything. */
export interface Questions {
  readonly repositoryExists: boolean;
  readonly answers: readonly ProbeAnswer[];
}

/**
 * Asks for referrers of a digest that nothing has, and to delete what is not there: a registry that can delete says that it
 * does not know it, one that cannot says that it cannot.
 *
 * @throws BoltsealError the registry's codes: when it cannot be reached or refuses the credentials, nothing can be told
 */
export async function askQuestions(client: RepositoryClient, context: Context): Promise<Questions> {
  const repositoryExists = await repositoryIsThere(client, context);
  const nothing = finishDigest(createHash('sha256').update(randomBytes(32)));
  const listed = await askReferrersApi(client, { subject: nothing }, context);
  return {
    repositoryExists,
    answers: [
      REFERRERS[listed.kind],
      await askDelete(client, { feature: 'deleteManifest', path: `manifests/${nothing}` }, context),
      await askDelete(client, { feature: 'deleteTag', path: `manifests/${tagOf(nothing)}` }, context),
      await askDelete(client, { feature: 'deleteBlob', path: `blobs/${nothing}` }, context),
    ],
  };
}

const REFERRERS: Readonly<Record<Awaited<ReturnType<typeof askReferrersApi>>['kind'], ProbeAnswer>> = {
  listed: probed('referrersApi', 'yes', 'answers with a list'),
  unsupported: probed('referrersApi', 'no', 'answers that there is no such API'),
  'no-repository': probed('referrersApi', 'unknown', 'answers that there is no such repository'),
};

/** A tag nobody uses, made of a random digest. */
export function tagOf(digest: Digest): string {
  return `boltseal-probe-${digest.slice('sha256:'.length, 'sha256:'.length + 16)}`;
}

async function repositoryIsThere(client: RepositoryClient, context: Context): Promise<boolean> {
  const doing = `listing the tags of ${nameOf(client)}`;
  const response = await client.send({ method: 'GET', path: 'tags/list?n=1', access: 'push', doing });
  if (response.status !== 404) {
    await discardBody(response);
    return response.status === 200;
  }
  return !isUnknownRepository(await readProblems(response, context));
}

interface Deletion {
  readonly feature: Feature;
  readonly path: string;
}

async function askDelete(
  client: RepositoryClient,
  { feature, path }: Deletion,
  context: Context,
): Promise<ProbeAnswer> {
  const doing = `asking ${nameOf(client)} to delete what is not there`;
  const response = await client.send({ method: 'DELETE', path, access: 'push', raw: true, doing });
  const { status } = response;
  if (status === 429 || status >= 500) {
    if (status !== 501) throw await client.failure(response, doing);
  }
  const codes = (await readProblems(response, context)).map(({ code }) => code).filter((code) => code !== '');
  const seen = [`answers ${status}`, ...codes].join(' ').slice(0, LIMITS.probeWords);
  if (codes.includes('UNSUPPORTED')) return probed(feature, 'no', seen);
  if (status === 404) return probed(feature, codes.length > 0 ? 'yes' : 'unknown', `${seen} to what is not there`);
  return probed(feature, status >= 200 && status < 300 ? 'yes' : 'no', seen);
}
