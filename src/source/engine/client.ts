import { PassThrough, pipeline, type Readable } from 'node:stream';
import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, optional, required, ShapeError } from '../../base/shape.ts';
import { discardBody, openHttpClient, readBody, type HttpClient } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { transportError } from '../transport-error.ts';
import type { EngineEndpoint } from './endpoint.ts';

/** The parts of the Docker Engine API that reading an image takes. Podman serves the same. */
export interface EngineClient extends AsyncDisposable {
  /** `undefined` when something answers there: else why nothing does. */
  reach(): Promise<string | undefined>;
  /** The engine's own identifier of the image, which does not move as a name can. @throws BoltsealError NOT_FOUND, ENGINE_* */
  imageId(name: string): Promise<string>;
  /** What `docker save` would write, as it is made. Asking again gives the same. @throws BoltsealError NOT_FOUND, ENGINE_* */
  save(imageId: string): Promise<Readable>;
}

export function openEngineClient(endpoint: EngineEndpoint, context: Context): EngineClient {
  const { address, origin, socketPath, tls } = endpoint;
  const http = openHttpClient(
    {
      ...(tls === undefined ? {} : { tlsFor: () => tls }),
      ...(socketPath === undefined ? {} : { socketPath }),
      responseTimeoutMs: LIMITS.engineResponseTimeoutMs,
    },
    context,
  );
  let version = '';
  const get = (path: string): Promise<HttpResponse> => send(http, { url: new URL(version + path, origin), address });
  return {
    async reach() {
      try {
        const response = await get('/_ping');
        await discardBody(response);
        const found = response.headers['api-version'] ?? '';
        if (response.status === 200 && API_VERSION.test(found)) version = `/v${found}`;
        return response.status === 200 ? undefined : `what answers there is no engine (${response.status})`;
      } catch (error) {
        if (!isBoltsealError(error, 'ENGINE_UNREACHABLE')) throw error;
        return reasonOf(error);
      }
    },
    async imageId(name) {
      const response = await get(`/images/${pathOf(name)}/json`);
      if (response.status !== 200) throw await failure(response, { address, name }, context);
      return readId(await readBody(response, LIMITS.engineDocumentBytes, context), address);
    },
    async save(imageId) {
      const response = await get(`/images/${pathOf(imageId)}/get`);
      if (response.status !== 200) throw await failure(response, { address, name: imageId }, context);
      return receive(response, address, context);
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

const API_VERSION = /^\d{1,3}\.\d{1,3}$/;
const IMAGE_ID = /^(?:sha256:)?[0-9a-f]{64}$/;

/** Slashes stay, as Docker's own client sends a name. Nothing in it may lead to another part of the API. */
function pathOf(name: string): string {
  if (IMAGE_NAME.test(name) && !name.split('/').some((part) => part === '' || /^\.+$/.test(part))) return name;
  throw new BoltsealError('REFERENCE_INVALID', `"${name}" is not the name of an image in an engine`, {
    hint: 'Write it as docker images shows it: NAME, NAME:TAG, NAME@DIGEST or an image id.',
  });
}

const IMAGE_NAME = /^[\w.:@/-]{1,512}$/;

interface Asked {
  readonly url: URL;
  readonly address: string;
}

async function send(http: HttpClient, { url, address }: Asked): Promise<HttpResponse> {
  try {
    return await http.send({ method: 'GET', url, redirect: 'refuse' });
  } catch (cause) {
    throw unreachable(cause, address);
  }
}

function unreachable(cause: unknown, address: string): unknown {
  if (!isBoltsealError(cause, 'REGISTRY_UNREACHABLE')) return cause;
  return new BoltsealError('ENGINE_UNREACHABLE', `the engine at ${address} cannot be reached: ${reasonOf(cause)}`, {
    hint: 'Check that it runs and that you may use its socket, or save the image to a file and name docker-archive:FILE.',
    cause,
  });
}

/** What is wrong with the socket, or the innermost cause in its own words. */
function reasonOf(error: unknown): string {
  const known = REASONS[systemCodeOf(error) ?? ''];
  if (known !== undefined) return known;
  let inner = error;
  for (let depth = 0; inner instanceof Error && inner.cause !== undefined && depth < 8; depth += 1) inner = inner.cause;
  return messageOf(inner);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'you may not use it',
  EPERM: 'you may not use it',
  ECONNREFUSED: 'nothing listens there',
  ENOTSOCK: 'it is not a socket',
};

function readId(bytes: Uint8Array, address: string): string {
  try {
    const value = parseJson(bytes, { what: 'the description of the image', maxBytes: LIMITS.engineDocumentBytes });
    const id = required(asObject(value, 'image'), 'Id', asString, 'image');
    if (IMAGE_ID.test(id)) return id;
    throw new ShapeError('its Id is not an image id');
  } catch (cause) {
    if (!(cause instanceof ShapeError) && !isBoltsealError(cause, 'JSON_INVALID')) throw cause;
    throw new BoltsealError('ENGINE_ERROR', `${address} describes the image in a way that is not understood`, {
      hint: 'Check that a Docker or Podman engine listens there, and not another program.',
      cause,
    });
  }
}

/** The body, failing in the engine's name when it breaks off. Destroying it ends the transfer. */
function receive(response: HttpResponse, address: string, context: Context): Readable {
  const body = new PassThrough({ highWaterMark: QUEUE_BYTES });
  response.body.once('error', (cause) =>
    body.destroy(unreachable(transportError(cause, response.url, context), address) as Error),
  );
  return pipeline(response.body, body, () => undefined);
}

const QUEUE_BYTES = 1024 * 1024;

async function failure(
  response: HttpResponse,
  { address, name }: { readonly address: string; readonly name: string },
  context: Context,
): Promise<BoltsealError> {
  const words = await readWords(response, context);
  if (response.status === 404) {
    return new BoltsealError('NOT_FOUND', `the engine at ${address} has no image ${name}${words}`, {
      hint: 'Pull it into the engine first, or leave the prefix out to read it from its registry.',
    });
  }
  return new BoltsealError('ENGINE_ERROR', `the engine at ${address} answered ${response.status}${words}`, {
    hint: 'Look into the log of the engine. Saving the image to a file shows whether the engine can read it itself.',
  });
}

/** `{"message": …}` of the Engine API, on one line and not long. */
async function readWords(response: HttpResponse, context: Context): Promise<string> {
  try {
    const bytes = await readBody(response, LIMITS.errorBodyBytes, context);
    const value = parseJson(bytes, { what: 'error', maxBytes: LIMITS.errorBodyBytes });
    const message = optional(asObject(value, 'error'), 'message', asString) ?? '';
    const line = message.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
    return line === '' ? '' : `: ${line.slice(0, MAX_WORDS)}`;
  } catch (error) {
    if (context.signal.aborted) throw error;
    return '';
  }
}

const MAX_WORDS = 300;
