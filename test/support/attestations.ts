import { CYCLONEDX_PREDICATE_TYPE } from '../../src/intoto/predicate-types.ts';
import { STATEMENT_V1 } from '../../src/intoto/statement.ts';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import type { CertificateExtensions, VerifiedAttestation, VerifiedSigner } from '../../src/verify/verification.ts';

export const SUBJECT: Digest = digestOf('an image');
export const NOW = new Date('2026-11-22T12:00:00Z');

interface Overrides {
  readonly signer?: VerifiedSigner;
  readonly predicateType?: string;
  readonly predicate?: unknown;
  readonly signedAt?: Date | undefined;
  readonly subject?: Digest;
}

let made = 0;

/** What the verifier would give for a good bundle: for tests of what is decided with it. */
export function attestation(overrides: Overrides = {}): VerifiedAttestation {
  const { signer = person('alice'), predicateType = CYCLONEDX_PREDICATE_TYPE, predicate = bom([]) } = overrides;
  const subject = overrides.subject ?? SUBJECT;
  const signedAt = 'signedAt' in overrides ? overrides.signedAt : new Date('2026-11-20T12:00:00Z');
  made += 1;
  const result = {
    signer,
    ...(signedAt === undefined ? {} : { signedAt }),
    times: [],
    logEntries: [],
    bundleDigest: digestOf(`bundle ${made}`),
    subject,
    statement: {
      type: STATEMENT_V1,
      subjects: [{ digest: { sha256: subject.slice('sha256:'.length) } }],
      predicateType,
      predicate,
    },
  };
  return result as unknown as VerifiedAttestation;
}

export function person(name: string, issuer = 'https://accounts.example.com'): VerifiedSigner {
  const identity = `${name}@example.com`;
  return { kind: 'certificate', issuer, identity, identityKind: 'email', extensions: {} };
}

export function workflow(identity: string, extensions: CertificateExtensions = {}): VerifiedSigner {
  const issuer = 'https://token.actions.githubusercontent.com';
  return { kind: 'certificate', issuer, identity, identityKind: 'uri', extensions };
}

export function bom(components: readonly unknown[]): unknown {
  return { bomFormat: 'CycloneDX', specVersion: '1.6', components };
}
