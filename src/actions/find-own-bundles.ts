import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../base/context.ts';
import { COSIGN_CUSTOM_PREDICATE_TYPE, COSIGN_SIGN_PREDICATE_TYPE } from '../intoto/predicate-types.ts';
import { parseStatement, type Statement } from '../intoto/statement.ts';
import type { Digest } from '../oci/digest.ts';
import { listBundles, type BundleCandidate, type BundleSource } from '../referrers/bundles.ts';
import type { IdentifiedSigner, StatementSigner } from '../sign/signer.ts';
import { readClaims, type BundleClaims } from '../verify/claims.ts';
import { Rejected } from '../verify/rejection.ts';
import { loadTrustedKey, NO_TRUST, withKeys, type TrustRoot } from '../verify/trust-root.ts';
import { verifyBundle } from '../verify/verifier.ts';

/** A bundle of the signer's own, of the type that is to be signed, that is attached already. */
export interface OwnBundle {
  readonly manifest: Digest;
  readonly bytes: Uint8Array;
  /** Holds under the trust root; or, for a key, by the key itself where there is none. */
  readonly isValid: boolean;
  /** States what is to be signed. */
  readonly isSame: boolean;
  /** When it was signed, where that could be verified. */
  readonly signedAt?: Date;
}

export interface Wanted {
  readonly statement: { readonly bytes: Uint8Array; readonly predicateType: string };
  readonly signer: Pick<StatementSigner, 'identify'>;
  /** Absent when the signing services are somebody's own and no trusted root says which keys are theirs. */
  readonly trust?: TrustRoot;
  /** What is signed with the key needs no witnesses. */
  readonly isUnwitnessed?: boolean;
}

/**
 * What the signer has attached before. Where nothing of the type is attached this is one request for the list; who signs is
 * asked for only when there is something to compare with. What does not verify is left out with a warning, so that nobody
 * keeps an image unsigned by attaching a forgery.
 *
 * @throws BoltsealError, see `listBundles` and StatementSigner
 */
export async function findOwnBundles(
  source: BundleSource,
  subject: Digest,
  wanted: Wanted,
  context: Context,
): Promise<readonly OwnBundle[]> {
  const { predicateType } = wanted.statement;
  const found: OwnBundle[] = [];
  for await (const candidate of listBundles(source, subject, { predicateType })) {
    if (candidate.kind === 'unreadable') continue;
    const claims = claimsOf(candidate.bytes);
    if (claims?.statement.predicateType !== predicateType) continue;
    const own = judge({ candidate, claims, subject }, await wanted.signer.identify(context), wanted, context);
    if (own !== undefined) found.push(own);
  }
  return found;
}

interface Attached {
  readonly candidate: Extract<BundleCandidate, { kind: 'bundle' }>;
  readonly claims: BundleClaims;
  readonly subject: Digest;
}

function claimsOf(bytes: Uint8Array): BundleClaims | undefined {
  try {
    return readClaims(bytes);
  } catch (error) {
    if (error instanceof Rejected) return undefined;
    throw error;
  }
}

function judge(attached: Attached, signer: IdentifiedSigner, wanted: Wanted, context: Context): OwnBundle | undefined {
  if (!claimsToBeBy(attached.claims, signer)) return undefined;
  const { manifestDigest: manifest, bytes } = attached.candidate;
  const { refusal, signedAt } = verify(attached, signer, wanted);
  if (refusal !== undefined) {
    context.emit({
      kind: 'warning',
      message: `${manifest} claims to be by the same signer, and does not count: ${refusal}`,
    });
    // What the key itself signed is its owner's to replace; what names an identity proves nothing.
    if (signer.identity.kind === 'certificate') return undefined;
  } else if (wanted.trust === undefined && signer.identity.kind === 'certificate') {
    context.emit({
      kind: 'warning',
      message: `${manifest} claims to be by the same signer; it could not be verified and does not count: --trusted-root says whom to believe`,
    });
    return undefined;
  }
  const isSame = statesTheSame(attached.claims, wanted.statement.bytes);
  return { manifest, bytes, isValid: refusal === undefined, isSame, ...(signedAt === undefined ? {} : { signedAt }) };
}

function claimsToBeBy(claims: BundleClaims, { identity, publicKey }: IdentifiedSigner): boolean {
  if (identity.kind === 'certificate')
    return (
      claims.signer?.identity === identity.identity &&
      claims.signer.issuer === identity.issuer &&
      claims.certifiedKey !== undefined &&
      claims.isSignedBy(claims.certifiedKey)
    );
  const { certifiedKey } = claims;
  return (certifiedKey === undefined || Buffer.from(publicKey).equals(certifiedKey)) && claims.isSignedBy(publicKey);
}

interface Checked {
  /** Why the bundle does not hold under the trust root. */
  readonly refusal?: string;
  readonly signedAt?: Date;
}

function verify(
  { candidate, claims, subject }: Attached,
  { identity, publicKey }: IdentifiedSigner,
  { trust, isUnwitnessed = false }: Wanted,
): Checked {
  if (trust === undefined && (identity.kind === 'certificate' || claims.certifiedKey !== undefined)) return {};
  const keys = identity.kind === 'key' ? [loadTrustedKey(publicKey)] : [];
  const needs = trust === undefined || isUnwitnessed ? { keyThresholds: { logEntries: 0, times: 0 } } : {};
  const result = verifyBundle(candidate, subject, { trust: withKeys(trust ?? NO_TRUST, keys), ...needs });
  if (!result.ok) return { refusal: result.rejection.reason };
  const { signedAt } = result.attestation;
  return signedAt === undefined ? {} : { signedAt };
}

/** The same bytes; or what has a form of its own and says the same, whoever wrote it down and when. */
function statesTheSame({ payload, statement }: BundleClaims, bytes: Uint8Array): boolean {
  if (Buffer.from(bytes).equals(payload)) return true;
  const wanted = parseStatement(bytes, 'the statement');
  const timeless = TIMELESS[statement.predicateType];
  return timeless !== undefined && isDeepStrictEqual(timeless(statement), timeless(wanted));
}

const TIMELESS: Readonly<Record<string, (statement: Statement) => unknown>> = {
  [COSIGN_SIGN_PREDICATE_TYPE]: ({ subjects, predicate }) => ({ subjects, predicate }),
  [COSIGN_CUSTOM_PREDICATE_TYPE]: ({ subjects, predicate }) => ({
    subjects,
    predicate: typeof predicate === 'object' ? { ...predicate, Timestamp: undefined } : predicate,
  }),
};
