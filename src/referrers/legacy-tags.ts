import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Annotations, Descriptor } from '../oci/descriptor.ts';
import { algorithmOf, encodedOf, type Digest } from '../oci/digest.ts';
import { artifactTypeOf, type ImageManifest } from '../oci/manifest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { readBlobBytes } from '../source/read-blob.ts';
import type { BlobReader, ManifestReader, ReferrerLister, TagReader } from '../source/source.ts';
import { CONTENT_ERRORS } from './content-errors.ts';
import { mapParallel } from './parallel.ts';

/** What cosign attached before there were bundles. Nothing about it has been verified but its bytes. */
export type LegacyCandidate =
  | {
      /** A simple-signing payload, or a DSSE envelope. */
      readonly kind: 'signature' | 'attestation';
      readonly manifestDigest: Digest;
      readonly bytes: Uint8Array;
      /** Where signature, certificate and log entry are. */
      readonly annotations: Annotations;
    }
  /** Stored as a signature or attestation, but damaged or missing. */
  | { readonly kind: 'unreadable'; readonly manifestDigest: Digest; readonly error: BoltsealError };

export type LegacySource = ManifestReader & BlobReader & ReferrerLister & Partial<TagReader>;

interface Form {
  readonly suffix: string;
  readonly kind: 'signature' | 'attestation';
  readonly layerType: string;
}

const SIGNATURE: Form = {
  suffix: '.sig',
  kind: 'signature',
  layerType: 'application/vnd.dev.cosign.simplesigning.v1+json',
};

/**
 * cosign, specs/SIGNATURE_SPEC.md and ATTESTATION_SPEC.md: tags beside the image. The third tag, `.sbom`, holds a document
 * that nobody signed, and proves nothing.
 */
const FORMS: readonly Form[] = [
  SIGNATURE,
  { suffix: '.att', kind: 'attestation', layerType: 'application/vnd.dsse.envelope.v1+json' },
];

/** The same manifest as a referrer: `cosign sign --registry-referrers-mode=oci-1-1`. */
const REFERRER_TYPE = 'application/vnd.dev.cosign.artifact.sig.v1+json';

/**
 * Every signature and attestation in the formats of cosign 1 and 2: by tag, and as a referrer of OCI 1.1.
 *
 * @throws BoltsealError the source's own codes when a tag or list cannot be looked up (only "there is none" is none),
 * LIMIT_EXCEEDED
 */
export async function* listLegacy(source: LegacySource, subject: Digest): AsyncGenerator<LegacyCandidate> {
  for (const form of FORMS) {
    const digest = await source.findTag?.(legacyTag(subject, form.suffix));
    if (digest !== undefined) yield* readEntry(source, { digest, form });
  }
  for (const { digest, artifactType } of await source.listReferrers(subject, { artifactType: REFERRER_TYPE }))
    if (artifactType === REFERRER_TYPE || (await isSignature(source, digest, artifactType)))
      yield* readEntry(source, { digest, form: SIGNATURE, subject });
}

/** A list may not say what an entry is: some clients wrote the type of the empty configuration instead. */
async function isSignature(source: ManifestReader, digest: Digest, listed: string | undefined): Promise<boolean> {
  if (listed !== undefined && listed !== MEDIA_TYPES.ociEmpty) return false;
  const found = await orUnreadable(digest, () => source.readManifest(digest));
  // Whatever cannot be read may be a bundle, and was reported as one.
  return !('error' in found) && artifactTypeOf(found.manifest) === REFERRER_TYPE;
}

/** `sha256-HEX.sig` and the like. */
export function legacyTag(subject: Digest, suffix: string): string {
  return `${algorithmOf(subject)}-${encodedOf(subject)}${suffix}`;
}

interface Entry {
  readonly digest: Digest;
  readonly form: Form;
  /** What the manifest must refer to, for a referrer. A tag says it by its name, and the payload decides. */
  readonly subject?: Digest;
}

async function* readEntry(source: LegacySource, entry: Entry): AsyncGenerator<LegacyCandidate> {
  const manifest = await orUnreadable(entry.digest, () => readSignatures(source, entry));
  if ('error' in manifest) yield manifest;
  else {
    const read = (layer: Descriptor): Promise<LegacyCandidate> => readLayer(source, { layer, ...entry });
    yield* mapParallel(manifest.layers, LIMITS.parallelFetches, read);
  }
}

async function readSignatures(source: ManifestReader, { digest, form, subject }: Entry): Promise<ImageManifest> {
  const { manifest } = await source.readManifest(digest);
  const about = manifest.subject?.digest;
  if (manifest.kind !== 'image') throw wrong(digest, `holds no ${form.kind} but an index`);
  if (subject !== undefined && about !== subject)
    throw wrong(digest, `is listed for ${subject} but refers to ${about ?? 'nothing'}`);
  if (manifest.layers.length > LIMITS.bundlesPerSubject)
    throw wrong(digest, `holds ${manifest.layers.length} ${form.kind}s, more than ${LIMITS.bundlesPerSubject}`);
  return manifest;
}

function readLayer(
  source: BlobReader,
  { digest, form, layer }: Entry & { readonly layer: Descriptor },
): Promise<LegacyCandidate> {
  return orUnreadable(digest, async () => {
    if (layer.mediaType !== form.layerType) throw wrong(digest, `has a layer of type ${layer.mediaType}`);
    const bytes = await readBlobBytes(source, layer, {
      what: `the ${form.kind} ${layer.digest}`,
      maxBytes: LIMITS.bundleBytes,
    });
    return { kind: form.kind, manifestDigest: digest, bytes, annotations: layer.annotations ?? {} };
  });
}

type Unreadable = Extract<LegacyCandidate, { readonly kind: 'unreadable' }>;

async function orUnreadable<T>(manifestDigest: Digest, read: () => Promise<T>): Promise<T | Unreadable> {
  try {
    return await read();
  } catch (error) {
    if (!isBoltsealError(error, ...CONTENT_ERRORS)) throw error;
    return { kind: 'unreadable', manifestDigest, error };
  }
}

function wrong(digest: Digest, what: string): BoltsealError {
  return new BoltsealError('MANIFEST_INVALID', `the manifest ${digest}, a signature in cosign's old format, ${what}`, {
    hint: 'It is not used. Sign again with a current tool.',
  });
}
