import { bundleToJSON } from '@sigstore/bundle';
import { DSSEBundleBuilder, type Witness } from '@sigstore/sign';
import type { Context } from '../base/context.ts';
import { INTOTO_PAYLOAD_TYPE } from '../intoto/dsse.ts';
import { certifyNewKey, type CertifiedKey } from './certificate.ts';
import { interruptible } from './http.ts';
import type { IdentityToken } from './identity-token.ts';
import { rekorV1Witness } from './rekor-v1.ts';
import { rekorV2Witness } from './rekor-v2.ts';
import { signedTimes } from './signed-time.ts';
import type { SignedBundle, StatementSigner } from './signer.ts';
import type { SigningService, SigningServices } from './signing-config.ts';
import { timestampWitness } from './timestamp.ts';

interface KeylessOptions {
  readonly services: SigningServices;
  /** Asked once per certificate; a long batch asks again when the first certificate ends. */
  readonly getToken: (context: Context) => Promise<IdentityToken>;
}

/** A certificate this close to its end is not used for another signature: the log would see it expired. */
const CERTIFICATE_MARGIN_MS = 60_000;

/**
 * Signs as a person or a job rather than with a kept key: a key made for the occasion, certified by Fulcio for an identity
 * token. All statements signed while the certificate is valid share it, so that a batch asks Fulcio once.
 */
export function keylessSigner({ services, getToken }: KeylessOptions): StatementSigner {
  let current: Promise<CertifiedKey> | undefined;
  const certify = async (context: Context): Promise<CertifiedKey> =>
    certifyNewKey(services.fulcio.url, await getToken(context), context);
  const keyFor = async (context: Context): Promise<CertifiedKey> => {
    const known = current;
    if (known !== undefined) {
      const key = await known;
      if (isUsable(key, context)) return key;
    }
    // Whoever came first after the certificate ended has asked for a new one already.
    if (current !== undefined && current !== known) return current;
    const fresh = certify(context);
    current = fresh;
    // A refusal is for those who waited for it; the next statement asks again.
    fresh.catch(() => {
      if (current === fresh) current = undefined;
    });
    return fresh;
  };
  return {
    async sign(payload, context) {
      return signWith(await keyFor(context), payload, { services, context });
    },
  };
}

function isUsable({ notAfter }: CertifiedKey, context: Context): boolean {
  return context.now().getTime() < notAfter.getTime() - CERTIFICATE_MARGIN_MS;
}

interface Surroundings {
  readonly services: SigningServices;
  readonly context: Context;
}

async function signWith(
  key: CertifiedKey,
  payload: Uint8Array,
  { services, context }: Surroundings,
): Promise<SignedBundle> {
  const builder = new DSSEBundleBuilder({
    signer: {
      sign: (data) =>
        Promise.resolve({
          signature: key.sign(data),
          key: { $case: 'x509Certificate', certificate: key.certificatePem },
        }),
    },
    witnesses: [
      ...services.rekor.map((service) => logWitness(service, context)),
      ...services.timestampAuthorities.map(({ url }) => timestampWitness(url, context)),
    ],
  });
  const artifact = { data: Buffer.from(payload), type: INTOTO_PAYLOAD_TYPE };
  const bundle = await interruptible(builder.create(artifact), context);
  const entries = bundle.verificationMaterial.tlogEntries;
  return {
    bytes: Buffer.from(JSON.stringify(bundleToJSON(bundle))),
    signer: key.identity,
    logEntries: entries.map(({ logId, logIndex }, at) => ({
      url: services.rekor[at]?.url ?? '',
      logId: logId?.keyId.toString('hex') ?? '',
      index: Number(logIndex),
    })),
    signedAt: signedTimes(bundle.verificationMaterial)[0] ?? context.now(),
  };
}

function logWitness({ url, majorApiVersion }: SigningService, context: Context): Witness {
  return majorApiVersion === 2 ? rekorV2Witness(url, context) : rekorV1Witness(url, context);
}
