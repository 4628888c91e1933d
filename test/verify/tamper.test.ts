import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import type { Verification } from '../../src/verify/verification.ts';
import { verifyBundle } from '../../src/verify/verifier.ts';
import { edit, type BundleJson } from '../support/bundle-json.ts';
import { signaturePayload, startSigning, type Signing } from '../support/sandbox-bundles.ts';

const SUBJECT = digestOf('an image');
let signing: Signing & AsyncDisposable;
const bundles: { 1?: Uint8Array; 2?: Uint8Array } = {};

beforeAll(async () => {
  signing = await startSigning();
  for (const rekorVersion of [1, 2] as const)
    bundles[rekorVersion] = await signing.sign(signaturePayload(SUBJECT), { rekorVersion });
});
afterAll(() => signing[Symbol.asyncDispose]());

interface Part {
  readonly what: string;
  readonly version: 1 | 2;
  readonly get: (bundle: BundleJson) => string | undefined;
  readonly set: (bundle: BundleJson, value: string) => unknown;
}

const entryOf = (bundle: BundleJson): BundleJson['verificationMaterial']['tlogEntries'][number] => {
  const [entry] = bundle.verificationMaterial.tlogEntries;
  if (entry === undefined) throw new Error('no log entry');
  return entry;
};
const proofOf = (bundle: BundleJson): NonNullable<ReturnType<typeof entryOf>['inclusionProof']> => {
  const { inclusionProof } = entryOf(bundle);
  if (inclusionProof === undefined) throw new Error('no proof');
  return inclusionProof;
};

/** Base64 parts in which every byte is covered by a signature that is checked. */
const SIGNED: readonly Part[] = ([1, 2] as const).flatMap((version) => [
  { version, what: 'payload', get: (b) => b.dsseEnvelope.payload, set: (b, v) => (b.dsseEnvelope.payload = v) },
  {
    version,
    what: 'signature',
    get: (b) => b.dsseEnvelope.signatures[0]?.sig,
    set: (b, v) => (b.dsseEnvelope.signatures = [{ sig: v }]),
  },
  {
    version,
    what: 'certificate',
    get: (b) => b.verificationMaterial.certificate?.rawBytes,
    set: (b, v) => (b.verificationMaterial.certificate = { rawBytes: v }),
  },
  {
    version,
    what: 'log entry',
    get: (b) => entryOf(b).canonicalizedBody,
    set: (b, v) => (entryOf(b).canonicalizedBody = v),
  },
  { version, what: 'log id', get: (b) => entryOf(b).logId.keyId, set: (b, v) => (entryOf(b).logId.keyId = v) },
  {
    version,
    what: 'promise of the log',
    get: (b) => entryOf(b).inclusionPromise?.signedEntryTimestamp,
    set: (b, v) => (entryOf(b).inclusionPromise = { signedEntryTimestamp: v }),
  },
  {
    version,
    what: 'first hash of the proof',
    get: (b) => proofOf(b).hashes?.[0],
    set: (b, v) => proofOf(b).hashes?.splice(0, 1, v),
  },
]);

function flip(base64: string, at: number): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString('base64');
}

function verify(bytes: Uint8Array): Verification {
  return verifyBundle({ bytes }, SUBJECT, { trust: signing.trust });
}

/** A run over every byte takes minutes; some, evenly spread, take seconds. */
const SAMPLES = process.env['BOLTSEAL_EVERY_BYTE'] === undefined ? 20 : Number.POSITIVE_INFINITY;

function sample(length: number): readonly number[] {
  const step = Math.max(1, Math.floor(length / SAMPLES));
  return Array.from({ length }, (_, at) => at).filter((at) => at % step === 0 || at === length - 1);
}

/** The bundles with a flipped bit that were accepted all the same. */
function unnoticed({ version, get, set }: Part): readonly Verification[] {
  const bundle = bundles[version] ?? Buffer.alloc(0);
  const original = get(JSON.parse(Buffer.from(bundle).toString()) as BundleJson);
  if (original === undefined) return [];
  return sample(Buffer.from(original, 'base64').length)
    .map((at) => verify(edit(bundle, (b) => set(b, flip(original, at)))))
    .filter(({ ok }) => ok);
}

describe('one bit flipped', () => {
  test('in nothing: accepted', () => {
    expect([bundles[1], bundles[2]].map((bytes) => bytes !== undefined && verify(bytes).ok)).toEqual([true, true]);
  });

  test.each(SIGNED)('in a byte of the $what (Rekor v$version): rejected', (part) => {
    expect(unnoticed(part)).toEqual([]);
  });

  test.each([1, 2] as const)('in a character of the checkpoint (Rekor v%i): rejected, or the same bytes', (version) => {
    const bundle = bundles[version] ?? Buffer.alloc(0);
    const { envelope } = proofOf(JSON.parse(Buffer.from(bundle).toString()) as BundleJson).checkpoint ?? {
      envelope: '',
    };
    const accepted = sample(envelope.length).flatMap((at) => {
      const char = envelope[at];
      const text = `${envelope.slice(0, at)}${char === 'A' ? 'B' : 'A'}${envelope.slice(at + 1)}`;
      return verify(edit(bundle, (b) => (proofOf(b).checkpoint.envelope = text))).ok ? [at] : [];
    });
    // The last characters of the signature's base64 hold bits that belong to no byte.
    const signatureBytes = (text: string): Buffer => Buffer.from(text.trimEnd().split(' ').at(-1) ?? '', 'base64');
    const real = accepted.filter((at) => {
      const text = `${envelope.slice(0, at)}A${envelope.slice(at + 1)}`;
      return !signatureBytes(text).equals(signatureBytes(envelope));
    });
    expect(real).toEqual([]);
  });

  test('in a timestamp: rejected, or outside what the authority signed', () => {
    const part: Part = {
      version: 2,
      what: 'timestamp',
      get: (b) => b.verificationMaterial.timestampVerificationData?.rfc3161Timestamps[0]?.signedTimestamp,
      set: (b, v) =>
        (b.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: v }] }),
    };
    // The wrapper of the token, its certificates and some algorithm names are not signed: flipping them may go unnoticed, and
    // then nothing that is said of the bundle is different.
    const original = verify(bundles[2] ?? Buffer.alloc(0));
    for (const accepted of unnoticed(part)) expect(answerOf(accepted)).toEqual(answerOf(original));
  });
});

function answerOf(verification: Verification): object {
  return verification.ok ? { ...verification.attestation, bundleDigest: undefined } : verification;
}
