import type { Context } from '../../base/context.ts';
import { signEnvelope, signMessage } from '../bundle.ts';
import type { MessageSigner, StatementSigner } from '../signer.ts';
import type { Signing } from '../signing.ts';
import type { WitnessServices } from '../signing-config.ts';
import type { OwnCertificate } from './own-certificate.ts';
import { publicKeyFingerprint } from './public-key.ts';
import type { SigningKey } from './signing-key.ts';

interface KeySignerOptions {
  readonly key: SigningKey;
  readonly certificate?: OwnCertificate;
  /** Either list may be empty; what is lost by that is said once, as a warning. */
  readonly services: WitnessServices;
}

/** Signs with a key that somebody keeps, and with the certificate for it where there is one. */
export function keySigner({ key, certificate, services }: KeySignerOptions): StatementSigner & MessageSigner {
  const signing = describe(key, certificate);
  let warned = false;
  const surroundings = (context: Context): { services: WitnessServices; context: Context } => {
    if (!warned) for (const message of losses(services, certificate)) context.emit({ kind: 'warning', message });
    warned = true;
    return { services, context };
  };
  return {
    sign: (payload, context) => signEnvelope(payload, signing, surroundings(context)),
    identify: () =>
      Promise.resolve({
        identity: signing.signer,
        publicKey: key.publicKey.export({ format: 'der', type: 'spki' }),
      }),
    signMessage: (message, context) => signMessage(message, signing, surroundings(context)),
  };
}

function describe(key: SigningKey, certificate: OwnCertificate | undefined): Signing {
  const fingerprint = publicKeyFingerprint(key.publicKey);
  const signer = { kind: 'key', fingerprint, algorithm: key.scheme.algorithm } as const;
  if (certificate === undefined) return { key, signer };
  return { key, certificate, signer: { ...signer, certificateSubject: certificate.subject } };
}

const NO_LOG =
  'no transparency log: nobody can see from outside that this key was used, and verifiers that ask for a log entry, ' +
  'which is the default of cosign and boltseal, reject the signature';
const NO_TIME =
  'no timestamp: nothing proves when this was signed, so that after the key is stolen or withdrawn this signature is worth ' +
  'no more than those of the thief';
const NO_TIME_FOR_CERTIFICATE =
  'no timestamp: nothing proves that this was signed while the certificate was valid, and verifiers reject it';

function losses({ rekor, timestampAuthorities }: WitnessServices, certificate: unknown): readonly string[] {
  const timed = timestampAuthorities.length > 0 || rekor.some(({ majorApiVersion }) => majorApiVersion === 1);
  return [
    ...(rekor.length === 0 ? [NO_LOG] : []),
    ...(timed ? [] : [certificate === undefined ? NO_TIME : NO_TIME_FOR_CERTIFICATE]),
  ];
}
