import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { json as canonical } from '@sigstore/core';
import { send, startServer, type RunningServer } from './http-server.ts';

/** A TUF repository on this machine, whose state a test moves forward and back. TUF specification 1.0, consistent snapshots. */
export interface TestTufRepository extends RunningServer {
  /** The root.json of version 1: what a client begins with. */
  readonly firstRoot: Buffer;
  /** Publishes targets under the next version of everything below the root. */
  readonly publish: (targets: Readonly<Record<string, string>>, changes?: Changes) => void;
  /** A new root, signed with the old key and the new. */
  readonly rotateRoot: () => void;
  /** What is served now, to be served again later. */
  readonly files: Map<string, Buffer>;
}

interface Changes {
  readonly expires?: string;
  /** What is served for a target instead of what was promised. */
  readonly served?: Readonly<Record<string, string>>;
}

const NEXT_CENTURY = '2099-01-01T00:00:00Z';

export async function startTufRepository(): Promise<TestTufRepository> {
  const files = new Map<string, Buffer>();
  const server = await startServer((request, response) => {
    const body = files.get(decodeURIComponent(request.url ?? '').slice(1));
    send(response, body === undefined ? { status: 404 } : { status: 200, body });
  });
  const online = makeKey();
  const rootKeys = [makeKey()];
  let rootVersion = 0;
  let version = 0;
  const publishRoot = (signers: readonly Key[], next: Key): Buffer => {
    rootVersion += 1;
    const role = (key: Key): object => ({ keyids: [key.id], threshold: 1 });
    const signed = {
      ...head('root', rootVersion, NEXT_CENTURY),
      consistent_snapshot: true,
      keys: Object.fromEntries([next, online].map(({ id, json }) => [id, json])),
      roles: { root: role(next), timestamp: role(online), snapshot: role(online), targets: role(online) },
    };
    const bytes = envelope(signed, signers);
    files.set(`${rootVersion}.root.json`, bytes);
    return bytes;
  };
  const [first] = rootKeys;
  if (first === undefined) throw new Error('no key');
  const firstRoot = publishRoot([first], first);
  return {
    ...server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    firstRoot,
    files,
    publish(targets, { expires = NEXT_CENTURY, served = {} } = {}) {
      version += 1;
      const entries = Object.entries(targets).map(([name, text]) => ({ name, text, sha256: sha256(text) }));
      for (const { name, text, sha256: hash } of entries)
        files.set(`targets/${hash}.${name}`, Buffer.from(served[name] ?? text));
      const list = Object.fromEntries(
        entries.map(({ name, text, sha256: hash }) => [
          name,
          { length: Buffer.byteLength(text), hashes: { sha256: hash } },
        ]),
      );
      const put = (path: string, signed: object): void => void files.set(path, envelope(signed, [online]));
      put(`${version}.targets.json`, { ...head('targets', version, NEXT_CENTURY), targets: list });
      put(`${version}.snapshot.json`, {
        ...head('snapshot', version, NEXT_CENTURY),
        meta: { 'targets.json': { version } },
      });
      put('timestamp.json', { ...head('timestamp', version, expires), meta: { 'snapshot.json': { version } } });
    },
    rotateRoot() {
      const old = rootKeys.at(-1);
      const next = makeKey();
      rootKeys.push(next);
      if (old !== undefined) publishRoot([old, next], next);
    },
  };
}

interface Key {
  readonly id: string;
  readonly json: object;
  readonly privateKey: KeyObject;
}

function makeKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const json = {
    keytype: 'ed25519',
    scheme: 'ed25519',
    keyval: { public: Buffer.from(x, 'base64url').toString('hex') },
  };
  return { id: sha256(canonical.canonicalize(json)), json, privateKey };
}

function head(type: string, version: number, expires: string): object {
  return { _type: type, spec_version: '1.0.31', version, expires };
}

function envelope(signed: object, keys: readonly Key[]): Buffer {
  const bytes = Buffer.from(canonical.canonicalize(signed));
  const signatures = keys.map(({ id, privateKey }) => ({
    keyid: id,
    sig: sign(null, bytes, privateKey).toString('hex'),
  }));
  return Buffer.from(JSON.stringify({ signatures, signed }));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
