import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asArray, asObject, asString, required } from '../base/shape.ts';
import { INTOTO_PAYLOAD_TYPE, preAuthEncoding } from '../intoto/dsse.ts';
import type { Digest } from '../oci/digest.ts';
import type { Envelope } from './content.ts';
import { base64Of, SIGNATURE_ANNOTATION, toBundle, type LegacyAnnotations } from './legacy-material.ts';
import { readSimpleSigning } from './legacy-payload.ts';
import { Rejected } from './rejection.ts';
import { readSignedStatement } from './signed-statement.ts';
import { verifySignature, type VerifyOptions } from './signature.ts';
import type { TrustRoot } from './trust-root.ts';
import type { Verification } from './verification.ts';
import { answer, mint } from './verifier.ts';

/** A layer of a `.sig` or `.att` manifest. */
export interface LegacyLayer {
  readonly kind: 'signature' | 'attestation';
  readonly bytes: Uint8Array;
  readonly annotations: LegacyAnnotations;
  readonly manifestDigest: Digest;
}

/**
 * Checks what cosign 1 and 2 attached to `subject`: the same checks as for a bundle, after putting the layer into a bundle's
 * terms. A signature over a simple-signing payload counts as the statement it stands for, and is marked `legacy`.
 * Nothing a layer contains makes it throw.
 */
export function verifyLegacy(
  layer: LegacyLayer,
  subject: Digest,
  { trust, ...options }: { readonly trust: TrustRoot } & Omit<VerifyOptions, 'manifestDigest'>,
): Verification {
  return answer(() => {
    const { kind, bytes, annotations, manifestDigest } = layer;
    const content = kind === 'signature' ? payloadContent(layer) : envelopeOf(bytes);
    const signature = verifySignature(toBundle(annotations, content.signature), content, {
      trust,
      bytes,
      options: { ...options, manifestDigest },
    });
    const statement =
      kind === 'signature'
        ? readSimpleSigning(content.payload, subject)
        : readSignedStatement(content.payload, [subject]);
    return mint({ ...signature, format: 'legacy' }, { subject, statement });
  });
}

function payloadContent({ bytes, annotations }: LegacyLayer): Envelope {
  const signature = base64Of(annotations[SIGNATURE_ANNOTATION] ?? '');
  return { signature, signed: bytes, payload: bytes };
}

/** DSSE 1.0.2, envelope.md. The annotation for the signature is empty: it is in the envelope. */
function envelopeOf(bytes: Uint8Array): Envelope {
  const { payload, payloadType, signatures } = read(bytes);
  if (payloadType !== INTOTO_PAYLOAD_TYPE)
    throw new Rejected('PAYLOAD_TYPE_UNSUPPORTED', `the envelope holds "${payloadType}", not an in-toto statement`);
  const [only, ...more] = signatures;
  if (only === undefined || more.length > 0)
    throw new Rejected('BUNDLE_MALFORMED', `the envelope has ${signatures.length} signatures where it needs one`);
  return {
    signature: only,
    signed: preAuthEncoding(payloadType, payload),
    payload,
  };
}

interface EnvelopeFields {
  readonly payload: Buffer;
  readonly payloadType: string;
  readonly signatures: readonly Buffer[];
}

function read(bytes: Uint8Array): EnvelopeFields {
  try {
    const json = asObject(parseJson(bytes, { what: 'the envelope', maxBytes: LIMITS.bundleBytes }), 'the envelope');
    return {
      payload: base64Of(required(json, 'payload', asString)),
      payloadType: required(json, 'payloadType', asString),
      signatures: required(json, 'signatures', asArray).map((entry, at) =>
        base64Of(required(asObject(entry, `signatures[${at}]`), 'sig', asString)),
      ),
    };
  } catch (cause) {
    throw new Rejected('BUNDLE_MALFORMED', 'the envelope cannot be read', cause);
  }
}
