import { createHash } from 'node:crypto';
import { BUNDLE_V03_MEDIA_TYPE, bundleToJSON, type Bundle } from '@sigstore/bundle';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import type { Context } from '../base/context.ts';
import { INTOTO_PAYLOAD_TYPE, preAuthEncoding } from '../intoto/dsse.ts';
import { interruptible } from './http.ts';
import { checkLoggable } from './loggable.ts';
import { publicKeyHint } from './key/public-key.ts';
import { rekorV1Witness } from './rekor-v1.ts';
import { rekorV2Witness } from './rekor-v2.ts';
import { signedTimes } from './signed-time.ts';
import type { Message, SignedBundle } from './signer.ts';
import type { Signing } from './signing.ts';
import type { SigningService, WitnessServices } from './signing-config.ts';
import { timestampWitness } from './timestamp.ts';

interface Surroundings {
  readonly services: WitnessServices;
  readonly context: Context;
}

type Content = Bundle['content'];

/** Signs a statement's bytes as the payload of a DSSE envelope (DSSE 1.0.2), has it witnessed, and packs the bundle. */
export async function signEnvelope(
  payload: Uint8Array,
  signing: Signing,
  surroundings: Surroundings,
): Promise<SignedBundle> {
  checkLoggable(signing.key.scheme, 'statement', surroundings.services);
  const pending = signing.key.begin();
  pending.update(preAuthEncoding(INTOTO_PAYLOAD_TYPE, payload));
  const sig = await pending.finish(surroundings.context);
  const dsseEnvelope = {
    payloadType: INTOTO_PAYLOAD_TYPE,
    payload: Buffer.from(payload),
    signatures: [{ sig, keyid: '' }],
  };
  return pack({ $case: 'dsseEnvelope', dsseEnvelope }, signing, surroundings);
}

/**
 * Signs a message itself, as it streams past, has it witnessed, and packs the bundle.
 *
 * Stands for MessageSignatureBundleBuilder of @sigstore/sign 5.1, which writes bundles of version 0.2 with a chain, and
 * knows SHA-256 only.
 */
export async function signMessage(
  message: Message,
  signing: Signing,
  surroundings: Surroundings,
): Promise<SignedBundle> {
  const { context } = surroundings;
  checkLoggable(signing.key.scheme, 'message', surroundings.services);
  const { hash = 'sha256' } = signing.key.scheme;
  const pending = signing.key.begin();
  const hasher = createHash(hash);
  await interruptible(feed(message, [pending, hasher]), context);
  const signature = await pending.finish(context);
  const messageDigest = { algorithm: HASH_ALGORITHMS[hash], digest: hasher.digest() };
  return pack({ $case: 'messageSignature', messageSignature: { messageDigest, signature } }, signing, surroundings);
}

const HASH_ALGORITHMS = {
  sha256: HashAlgorithm.SHA2_256,
  sha384: HashAlgorithm.SHA2_384,
  sha512: HashAlgorithm.SHA2_512,
} as const;

async function feed(message: Message, sinks: readonly { update(chunk: Uint8Array): unknown }[]): Promise<void> {
  for await (const chunk of message instanceof Uint8Array ? [message] : message)
    for (const sink of sinks) sink.update(chunk);
}

async function pack(content: Content, signing: Signing, { services, context }: Surroundings): Promise<SignedBundle> {
  const witnesses = [
    ...services.rekor.map((service) => logWitness(service, context)),
    ...services.timestampAuthorities.map(({ url }) => timestampWitness(url, context)),
  ];
  const pem = signing.certificate?.pem ?? signing.key.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const proofs = await Promise.all(witnesses.map((witness) => witness.testify(content, pem)));
  const tlogEntries = proofs.flatMap(({ tlogEntries: entries = [] }) => entries);
  const verificationMaterial: Bundle['verificationMaterial'] = {
    content: keyMaterial(signing),
    tlogEntries,
    timestampVerificationData: {
      rfc3161Timestamps: proofs.flatMap(({ rfc3161Timestamps = [] }) => rfc3161Timestamps),
    },
  };
  return {
    bytes: Buffer.from(
      JSON.stringify(bundleToJSON({ mediaType: BUNDLE_V03_MEDIA_TYPE, content, verificationMaterial })),
    ),
    signer: signing.signer,
    logEntries: tlogEntries.map(({ logId, logIndex }, at) => ({
      url: services.rekor[at]?.url ?? '',
      logId: logId?.keyId.toString('hex') ?? '',
      index: Number(logIndex),
    })),
    signedAt: signedTimes(verificationMaterial)[0] ?? context.now(),
  };
}

function logWitness({ url, majorApiVersion }: SigningService, context: Context): ReturnType<typeof rekorV1Witness> {
  return majorApiVersion === 2 ? rekorV2Witness(url, context) : rekorV1Witness(url, context);
}

/** A bundle of version 0.3 holds one certificate and no chain: whoever verifies has the authorities above it. */
function keyMaterial({ key, certificate }: Signing): Bundle['verificationMaterial']['content'] {
  return certificate === undefined
    ? { $case: 'publicKey', publicKey: { hint: publicKeyHint(key.publicKey) } }
    : { $case: 'certificate', certificate: { rawBytes: certificate.der } };
}
