import type { Context } from '../base/context.ts';
import { signEnvelope, signMessage } from './bundle.ts';
import { certifyNewKey, type CertifiedKey } from './certificate.ts';
import type { IdentityToken } from './identity-token.ts';
import type { MessageSigner, StatementSigner } from './signer.ts';
import type { SigningServices } from './signing-config.ts';

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
export function keylessSigner({ services, getToken }: KeylessOptions): StatementSigner & MessageSigner {
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
      return signEnvelope(payload, await keyFor(context), { services, context });
    },
    async identify(context) {
      const { signer, key } = await keyFor(context);
      return { identity: signer, publicKey: key.publicKey.export({ format: 'der', type: 'spki' }) };
    },
    async signMessage(message, context) {
      return signMessage(message, await keyFor(context), { services, context });
    },
  };
}

function isUsable({ notAfter }: CertifiedKey, context: Context): boolean {
  return context.now().getTime() < notAfter.getTime() - CERTIFICATE_MARGIN_MS;
}
