import type { Bundle } from '@sigstore/bundle';
import { digestOf, type Digest } from '../oci/digest.ts';
import { parseBundle } from './bundle.ts';
import { readCertificate } from './certificate.ts';
import { envelopeContent, hashOfLength, isDigestOf, type Content, type DigestedFile } from './content.ts';
import { digestFor, loadDigestVerifier, type FileDigests } from './digest-signature.ts';
import { Rejected, toRejection, type Rejection } from './rejection.ts';
import { readSignedStatement } from './signed-statement.ts';
import { verifySignature, type VerifyOptions } from './signature.ts';
import { namedKey } from './signing-key.ts';
import type { TrustRoot } from './trust-root.ts';
import type { VerifiedSignature } from './verification.ts';

export type ArtifactVerification =
  | {
      readonly ok: true;
      readonly signature: VerifiedSignature;
      /** Of the statement, where the bundle holds one about the file. */
      readonly predicateType?: string;
    }
  | { readonly ok: false; readonly rejection: Rejection };

type Options = { readonly trust: TrustRoot } & VerifyOptions;

/**
 * Checks a bundle against a file: a signature over the file's bytes, or an envelope whose statement names the file's
 * digest. Like `verifyBundle`, it answers and does not throw, and leaves who may sign to the caller.
 */
export function verifyArtifactBundle(bytes: Uint8Array, artifact: Uint8Array, options: Options): ArtifactVerification {
  return verifyArtifact(bytes, artifact, options);
}

/**
 * Checks a bundle against a file of which only digests are known. A signature with Ed25519 is over the file itself and is
 * rejected (CONTENT_NEEDED), as is one over the digest of an algorithm that is not among those given.
 */
export async function verifyArtifactDigest(
  bytes: Uint8Array,
  digests: FileDigests,
  options: Options,
): Promise<ArtifactVerification> {
  return verifyArtifact(bytes, { digests, verify: await loadDigestVerifier() }, options);
}

type Artifact = Uint8Array | DigestedFile;

function verifyArtifact(bytes: Uint8Array, artifact: Artifact, { trust, ...options }: Options): ArtifactVerification {
  try {
    const bundle = parseBundle(bytes);
    if (bundle.content.$case === 'dsseEnvelope') {
      const content = envelopeContent(bundle);
      const signature = verifySignature(bundle, content, { trust, bytes, options });
      const { predicateType } = readSignedStatement(content.payload, subjectDigests(artifact));
      return { ok: true, signature, predicateType };
    }
    const content = messageContent(bundle.content.messageSignature, artifact);
    checkSufficient(bundle, artifact, trust);
    return { ok: true, signature: verifySignature(bundle, content, { trust, bytes, options }) };
  } catch (error) {
    const rejected =
      error instanceof Rejected
        ? error
        : new Rejected('VERIFICATION_FAILED', 'the bundle could not be checked to the end', error);
    return { ok: false, rejection: toRejection(rejected) };
  }
}

type MessageSignature = Extract<Bundle['content'], { readonly $case: 'messageSignature' }>['messageSignature'];

function messageContent({ signature, messageDigest }: MessageSignature, artifact: Artifact): Content {
  const hash = hashOfLength(messageDigest.digest);
  if (!(artifact instanceof Uint8Array) && hash !== undefined && artifact.digests[hash] === undefined)
    throw new Rejected('CONTENT_NEEDED', `the bundle names the file by its ${hash}, which is not the digest given`);
  if (!isDigestOf(messageDigest.digest, artifact))
    throw new Rejected('SUBJECT_MISMATCH', 'the signature is over a file with another digest');
  return { signature: Buffer.from(signature), signed: artifact, payload: artifact };
}

/** Said before a signature is found not to hold, which would be the wrong reason. */
function checkSufficient(bundle: Bundle, artifact: Artifact, trust: TrustRoot): void {
  if (artifact instanceof Uint8Array) return;
  const certificate = readCertificate(bundle);
  const named = namedKey(bundle, trust.keys);
  const trusted = (named === undefined ? trust.keys : [named]).map(({ publicKey }) => publicKey);
  const keys = certificate === undefined ? trusted : [certificate.publicKey];
  if (keys.length === 0 || keys.some((key) => digestFor(key, artifact.digests) !== undefined)) return;
  const kinds = [...new Set(keys.map(({ asymmetricKeyType }) => asymmetricKeyType))].join(', ');
  throw new Rejected('CONTENT_NEEDED', `what a key of this kind (${kinds}) signs is not the digest given`);
}

/** The digests that a statement may name the file by. */
function subjectDigests(artifact: Artifact): readonly Digest[] {
  if (artifact instanceof Uint8Array) return [digestOf(artifact), digestOf(artifact, 'sha512')];
  const named = (['sha256', 'sha512'] as const).flatMap((algorithm) => {
    const digest = artifact.digests[algorithm];
    return digest === undefined ? [] : [`${algorithm}:${digest.toString('hex')}` as Digest];
  });
  if (named.length === 0) throw new Rejected('CONTENT_NEEDED', 'statements name files by their sha256 or sha512');
  return named;
}
