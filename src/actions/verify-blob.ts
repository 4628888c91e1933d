import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import { matchSigner, type SignerRule } from '../policy/signer-rule.ts';
import { verifyArtifactBundle, verifyArtifactDigest, type ArtifactVerification } from '../verify/artifact.ts';
import type { Rejection } from '../verify/rejection.ts';
import { withKeys } from '../verify/trust-root.ts';
import type { VerifiedSignature } from '../verify/verification.ts';
import { openBlob } from './open-blob.ts';
import { openSigners, type NamedSigners } from './open-signers.ts';
import { openTrustRoot } from './open-trust-root.ts';
import { readLocalFile } from './read-file.ts';

export interface VerifyBlobOptions {
  /** The file that holds the Sigstore bundle. */
  readonly bundleFile: string;
  readonly signers: NamedSigners;
  /** A trusted_root.json; the public-good instance's, as built in, when absent. */
  readonly trustedRootFile?: string;
  /** A signature with a trusted key counts without a log entry and a trusted time. */
  readonly allowUnloggedKeys?: boolean;
}

/** The answer about one file. A rejection, or a stranger's signature, is an answer and no error. */
export type BlobVerdict =
  | { readonly ok: true; readonly file: string; readonly signature: VerifiedSignature; readonly predicateType?: string }
  | { readonly ok: false; readonly file: string; readonly rejection: BlobRejection };

interface BlobRejection extends Omit<Rejection, 'code'> {
  readonly code: Rejection['code'] | 'SIGNER_MISMATCH';
}

/**
 * Says whether a bundle is a signature over the file, or a statement about it, by one of the signers named. The file may be
 * given by its digest alone.
 *
 * @throws BoltsealError USAGE, REFERENCE_INVALID, TRUST_ROOT_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function verifyBlob(file: string, options: VerifyBlobOptions, context: Context): Promise<BlobVerdict> {
  const { rules, keys } = await openSigners(options.signers);
  const trust = withKeys(await openTrustRoot(options.trustedRootFile), keys);
  const bundle = await readLocalFile(options.bundleFile, 'the bundle', LIMITS.bundleBytes);
  const blob = await openBlob(file, context);
  const unlogged = options.allowUnloggedKeys === true ? { keyThresholds: { logEntries: 0, times: 0 } } : {};
  const found =
    blob.kind === 'bytes'
      ? verifyArtifactBundle(bundle, blob.bytes, { trust, ...unlogged })
      : await verifyArtifactDigest(bundle, blob.digests, { trust, ...unlogged });
  return judge(file, found, rules);
}

function judge(file: string, found: ArtifactVerification, rules: readonly SignerRule[]): BlobVerdict {
  if (!found.ok) return { ok: false, file, rejection: found.rejection };
  const difference = matchSigner(found.signature.signer, rules);
  if (difference === undefined) return { ...found, file };
  const wanted = rules.map(({ description }) => description).join(' or ');
  return {
    ok: false,
    file,
    rejection: { code: 'SIGNER_MISMATCH', reason: `somebody else signed: ${difference}`, next: `Sign as ${wanted}.` },
  };
}
