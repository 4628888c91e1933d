import { createHash, verify } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, optional, required, type JsonObject } from '../../base/shape.ts';
import { pluginError, runPlugin } from './plugin-process.ts';
import { readServiceKey, wrongSignature } from './remote-key.ts';
import { schemeOf, type SignatureScheme } from './scheme.ts';
import { collectMessage, type SigningKey } from './signing-key.ts';

interface PluginReference {
  /** `my-hsm` for the program `sigstore-kms-my-hsm`. */
  readonly plugin: string;
  /** What stands after `my-hsm://`. */
  readonly location: string;
}

/**
 * Opens a key that a plugin holds (sigstore 1.10, pkg/signature/kms/cliplugin, protocol v1). A plugin gets the message
 * on stdin and its digest beside it, and may sign either; what it gives is verified before it is used.
 *
 * @throws BoltsealError KEY_INVALID, KEY_SERVICE_FAILED, INTERRUPTED
 */
export async function openPluginKey(reference: PluginReference, context: Context): Promise<SigningKey> {
  const what = `${reference.plugin}://${reference.location}`;
  const asked = { methodName: 'publicKey', publicKey: { publicKeyOptions: { rpcOptions: RPC_OPTIONS } } };
  const pem = await call(
    { ...reference, hash: 'sha256', method: asked, message: new Uint8Array() },
    context,
    (answer) => readBytes(required(answer, 'publicKey', asObject), 'publicKeyPEM').toString('utf8'),
  );
  const publicKey = readServiceKey(pem, what);
  const scheme = schemeOf(publicKey, what);
  return {
    publicKey,
    scheme,
    begin() {
      const message = collectMessage(what);
      return {
        update: message.add,
        async finish(signContext) {
          const bytes = message.bytes();
          const signature = await signMessage(reference, { scheme, message: bytes }, signContext);
          if (!verify(scheme.hash ?? null, bytes, publicKey, signature)) throw wrongSignature(what);
          return signature;
        },
      };
    },
  };
}

interface ToSign {
  readonly scheme: SignatureScheme;
  readonly message: Buffer;
}

async function signMessage(
  reference: PluginReference,
  { scheme: { hash }, message }: ToSign,
  context: Context,
): Promise<Buffer> {
  const messageOptions =
    hash === undefined ? {} : { digest: createHash(hash).update(message).digest('base64'), hashFunc: GO_HASHES[hash] };
  const signOptions = { rpcOptions: RPC_OPTIONS, messageOptions };
  const method = { methodName: 'signMessage', signMessage: { signOptions } };
  return call({ ...reference, hash: hash ?? 'sha512', method, message }, context, (answer) =>
    readBytes(required(answer, 'signMessage', asObject), 'signature'),
  );
}

const RPC_OPTIONS = { keyVersion: '', remoteVerification: false };

/** The numbers of Go's crypto.Hash, which the protocol is written with. */
const GO_HASHES = { sha256: 5, sha384: 6, sha512: 7 } as const;

interface Call extends PluginReference {
  readonly hash: keyof typeof GO_HASHES;
  readonly method: object;
  readonly message: Uint8Array;
}

async function call<T>(
  { plugin, location, hash, method, message }: Call,
  context: Context,
  read: (answer: JsonObject) => T,
): Promise<T> {
  const program = `sigstore-kms-${plugin}`;
  const initOptions = {
    ctxDeadline: new Date(context.now().getTime() + LIMITS.keyPluginTimeoutMs).toISOString(),
    protocolVersion: PROTOCOL_VERSION,
    keyResourceID: location,
    hashFunc: GO_HASHES[hash],
    rpcOptions: RPC_OPTIONS,
  };
  const args = [PROTOCOL_VERSION, JSON.stringify({ initOptions, ...method })];
  const output = await runPlugin({ program, args, stdin: message }, context);
  try {
    const answer = asObject(parseJson(output, { what: 'its answer', maxBytes: LIMITS.keyAnswerBytes }), 'its answer');
    const refusal = optional(answer, 'errorMessage', asString) ?? '';
    if (refusal !== '') throw new Error(refusal);
    return read(answer);
  } catch (cause) {
    throw pluginError(program, messageOf(cause), cause);
  }
}

const PROTOCOL_VERSION = 'v1';

function readBytes(object: JsonObject, key: string): Buffer {
  return Buffer.from(required(object, key, asString), 'base64');
}
