import type { Context } from '../../base/context.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { discardBody, readBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { referrersTag } from '../referrer-entry.ts';
import { ACCEPT_MANIFESTS, nameOf } from './manifests.ts';
import { ask, blobBytes, putBlob, type Probing } from './probe-blobs.ts';
import { tagOf } from './probe-questions.ts';
import { probed, type ProbeAnswer } from './probe-report.ts';
import { askReferrersApi } from './referrers-api.ts';

const ARTIFACT_TYPE = 'application/vnd.boltseal.probe';

/** Tries what becomes of a manifest with a subject, and of tags: distribution-spec 1.1.1, "Pushing Manifests" and after. */
export async function probeManifests(probing: Probing, context: Context): Promise<readonly ProbeAnswer[]> {
  const blob = blobBytes(probing, 'the configuration');
  await putBlob(probing, blob);
  const config = { mediaType: 'application/octet-stream', digest: digestOf(blob), size: blob.length };
  const subject = await putManifest(probing, manifest(config, {}));
  const referrer = manifest(config, { subject: subject.descriptor });
  const pushed = await putManifest(probing, referrer);
  const ociSubject = pushed.response.headers['oci-subject'];
  return [
    probed(
      'ociSubject',
      ociSubject === subject.descriptor.digest ? 'yes' : 'no',
      ociSubject === undefined ? 'not sent' : 'sent',
    ),
    ...(await tryList(probing, { subject: subject.descriptor, referrer: pushed.descriptor }, context)),
    ...(await tryTags(probing, { subject: subject.descriptor, referrer: pushed.descriptor }, context)),
  ];
}

function manifest(config: Descriptor, more: object): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: ARTIFACT_TYPE,
      config,
      layers: [config],
      ...more,
    }),
  );
}

interface Pair {
  readonly subject: Descriptor;
  readonly referrer: Descriptor;
}

async function tryList(
  { client }: Probing,
  { subject, referrer }: Pair,
  context: Context,
): Promise<readonly ProbeAnswer[]> {
  const listed = await askReferrersApi(client, { subject: subject.digest }, context);
  if (listed.kind !== 'listed')
    return [
      probed('referrersApi', 'no', 'answers that there is no such API'),
      probed('filter', 'no', 'there is no referrers API'),
    ];
  const isThere = listed.referrers.some(({ digest }) => digest === referrer.digest);
  const others = await askReferrersApi(
    client,
    { subject: subject.digest, artifactType: 'application/x-other' },
    context,
  );
  const filters = others.kind === 'listed' && others.referrers.length === 0 && isThere;
  return [
    probed('referrersApi', isThere ? 'yes' : 'no', isThere ? 'lists what was pushed' : 'does not list what was pushed'),
    probed('filter', filters ? 'yes' : 'no', filters ? 'leaves out other types' : 'lists other types too, or nothing'),
  ];
}

/** The fallback tag last: whatever holds it is removed first. */
async function tryTags(probing: Probing, pair: Pair, context: Context): Promise<readonly ProbeAnswer[]> {
  const tag = tagOf(pair.subject.digest);
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [pair.referrer] }),
  );
  const first = await putManifest(probing, index, tag);
  await discardBody(first.response);
  return [
    await tryCondition(probing, tag, index),
    await tryTagDeletion(probing, { tag, digest: first.descriptor.digest }),
    await tryFallbackTag(probing, { pair, index }, context),
  ];
}

async function tryCondition(probing: Probing, tag: string, index: Buffer): Promise<ProbeAnswer> {
  const response = await send(probing, { reference: tag, bytes: index, headers: { 'if-match': '"boltseal-probe"' } });
  await discardBody(response);
  return probed('conditionalPut', response.status === 412 ? 'yes' : 'no', `answers ${response.status} to a wrong ETag`);
}

async function tryTagDeletion(
  probing: Probing,
  { tag, digest }: { readonly tag: string; readonly digest: string },
): Promise<ProbeAnswer> {
  const deleted = await ask(probing, { method: 'DELETE', path: `manifests/${tag}` });
  await discardBody(deleted);
  const [byTag, byDigest] = [await statusOf(probing, tag), await statusOf(probing, digest)];
  const isRight = deleted.status < 300 && byTag === 404 && byDigest === 200;
  const seen = `answers ${deleted.status}; then ${byTag} to the tag, ${byDigest} to its manifest`;
  return probed('deleteTag', isRight ? 'yes' : 'no', seen);
}

async function statusOf(probing: Probing, reference: string): Promise<number> {
  const response = await ask(probing, {
    method: 'HEAD',
    path: `manifests/${reference}`,
    headers: { accept: ACCEPT_MANIFESTS },
  });
  await discardBody(response);
  return response.status;
}

async function tryFallbackTag(
  probing: Probing,
  { pair, index }: { readonly pair: Pair; readonly index: Buffer },
  context: Context,
): Promise<ProbeAnswer> {
  const tag = referrersTag(pair.subject.digest);
  const response = await store(probing, { reference: tag, bytes: index });
  await discardBody(response);
  if (response.status !== 201) return probed('fallbackTag', 'no', `answers ${response.status} to writing it`);
  const read = await ask(probing, { method: 'GET', path: `manifests/${tag}`, headers: { accept: ACCEPT_MANIFESTS } });
  const body = Buffer.from(await readBody(read, LIMITS.manifestBytes, context));
  const isSame = read.status === 200 && body.equals(index);
  return probed(
    'fallbackTag',
    isSame ? 'yes' : 'no',
    isSame ? 'gives back what was written' : 'gives back something else',
  );
}

interface Pushed {
  readonly descriptor: Descriptor;
  readonly response: HttpResponse;
}

/** @throws BoltsealError the registry's codes when it is not taken */
async function putManifest(probing: Probing, bytes: Buffer, tag?: string): Promise<Pushed> {
  const digest = digestOf(bytes);
  const response = await store(probing, { reference: tag ?? digest, bytes });
  if (response.status !== 201)
    throw await probing.client.failure(response, `pushing a manifest to ${nameOf(probing.client)}`);
  await discardBody(response);
  return {
    response,
    descriptor: { mediaType: typeOf(bytes), digest, size: bytes.length, artifactType: ARTIFACT_TYPE },
  };
}

interface Write {
  readonly reference: string;
  readonly bytes: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Notes first what will be there. */
function store(probing: Probing, write: Write): Promise<HttpResponse> {
  const digest = digestOf(write.bytes);
  probing.trail.add(`manifests/${digest}`, `the manifest ${digest}`);
  if (write.reference !== digest) probing.trail.addTag(write.reference);
  return send(probing, write);
}

function send(probing: Probing, { reference, bytes, headers }: Write): Promise<HttpResponse> {
  return ask(probing, {
    method: 'PUT',
    path: `manifests/${reference}`,
    headers: { 'content-type': typeOf(bytes), 'content-length': String(bytes.length), ...headers },
    body: () => bytes,
  });
}

function typeOf(bytes: Buffer): string {
  return (JSON.parse(bytes.toString('utf8')) as { readonly mediaType: string }).mediaType;
}
