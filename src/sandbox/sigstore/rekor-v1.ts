import { json as jsonLib } from '@sigstore/core';
import type { Context } from '../../base/context.ts';
import { messageOf } from '../../base/errors.ts';
import { json, readBody, type Route, type SandboxReply, type SandboxRequest } from '../http/message.ts';
import { serve, type Service } from '../http/server.ts';
import { plainError } from './api-error.ts';
import { signCheckpoint } from './checkpoint.ts';
import { ecdsaLogKey, type LogKey } from './log-key.ts';
import { leafHash, merkleTree, type MerkleTree } from './merkle-tree.ts';
import { canonicalBody, MAX_ENTRY_BYTES } from './rekor-v1-entry.ts';
import { toPemKey } from './x509.ts';

/** A transparency log: a service and the key that signs for it. */
export interface TransparencyLog extends Service {
  readonly key: LogKey;
  /** Entries so far. */
  readonly size: () => number;
}

interface StoredEntry {
  readonly index: number;
  readonly uuid: string;
  readonly body: Buffer;
  readonly integratedTime: number;
}

interface Log {
  readonly key: LogKey;
  readonly tree: MerkleTree;
  readonly entries: StoredEntry[];
  readonly byUuid: Map<string, StoredEntry>;
  readonly context: Context;
}

/** Rekor's first shard is a Trillian tree with an ID; a UUID is that ID and the leaf's hash. */
const TREE_ID = 1193050959916656506n;
const TREE_ID_HEX = TREE_ID.toString(16).padStart(16, '0');

/** A log with the HTTP API of Rekor v1 (rekor, openapi.yaml) as far as clients that sign, look up and monitor need it. */
export async function startRekorV1(port: number, context: Context): Promise<TransparencyLog> {
  const tree = merkleTree();
  let key = ecdsaLogKey('');
  const service = await serve(
    {
      name: 'rekor v1',
      port,
      routes(url) {
        key = ecdsaLogKey(new URL(url).hostname);
        return routes({ key, tree, entries: [], byUuid: new Map(), context });
      },
    },
    context,
  );
  return { ...service, key, size: tree.size };
}

function routes(log: Log): readonly Route[] {
  const entries = /^\/api\/v1\/log\/entries$/;
  return [
    { methods: ['POST'], path: entries, answer: (request) => createEntry(request, log) },
    {
      methods: ['GET'],
      path: entries,
      answer: ({ url }) => found(log, log.entries[Number(url.searchParams.get('logIndex') ?? 'NaN')]),
    },
    {
      methods: ['GET'],
      path: /^\/api\/v1\/log\/entries\/(?:[0-9a-f]{16})?(?<leaf>[0-9a-f]{64})$/,
      answer: (_request, { leaf = '' }) => found(log, log.byUuid.get(`${TREE_ID_HEX}${leaf}`)),
    },
    { methods: ['GET'], path: /^\/api\/v1\/log$/, answer: () => logInfo(log) },
    { methods: ['GET'], path: /^\/api\/v1\/log\/proof$/, answer: ({ url }) => consistency(log, url.searchParams) },
    {
      methods: ['GET'],
      path: /^\/api\/v1\/log\/publicKey$/,
      answer: () => ({
        status: 200,
        headers: { 'content-type': 'application/x-pem-file' },
        body: toPemKey(log.key.publicKey),
      }),
    },
  ];
}

async function createEntry({ stream }: SandboxRequest, log: Log): Promise<SandboxReply> {
  const proposed = await readBody(stream, MAX_ENTRY_BYTES, plainError(413, 'request body too large').reply);
  const body = canonicalise(proposed);
  const leaf = leafHash(body);
  const uuid = `${TREE_ID_HEX}${leaf.toString('hex')}`;
  const location = `/api/v1/log/entries/${uuid}`;
  if (log.byUuid.has(uuid)) {
    const message = `an equivalent entry already exists in the transparency log with UUID ${uuid}`;
    throw plainError(409, message, { location });
  }
  const integratedTime = Math.floor(log.context.now().getTime() / 1000);
  const entry = { index: log.tree.append(leaf), uuid, body, integratedTime };
  log.entries.push(entry);
  log.byUuid.set(uuid, entry);
  return json(201, { [uuid]: describe(log, entry) }, { location, etag: uuid });
}

function canonicalise(proposed: Buffer): Buffer {
  try {
    return canonicalBody(proposed);
  } catch (error) {
    throw plainError(400, `error processing entry: ${messageOf(error)}`);
  }
}

function found(log: Log, entry: StoredEntry | undefined): SandboxReply {
  if (entry === undefined) throw plainError(404, 'the entry is not in the log');
  return json(200, { [entry.uuid]: describe(log, entry) });
}

/** An entry as the API gives it, with the log's promise and a proof against the log as it is now. */
function describe({ key, tree }: Log, { index, body, integratedTime }: StoredEntry): object {
  const entry = { body: body.toString('base64'), integratedTime, logID: key.id.toString('hex'), logIndex: index };
  return {
    ...entry,
    verification: {
      inclusionProof: {
        checkpoint: signCheckpoint(tree, originOf(key), key),
        hashes: tree.inclusionProof(index).map((hash) => hash.toString('hex')),
        logIndex: index,
        rootHash: tree.root().toString('hex'),
        treeSize: tree.size(),
      },
      signedEntryTimestamp: key.sign(Buffer.from(jsonLib.canonicalize(entry))).toString('base64'),
    },
  };
}

function logInfo({ key, tree }: Log): SandboxReply {
  return json(200, {
    inactiveShards: [],
    rootHash: tree.root().toString('hex'),
    signedTreeHead: signCheckpoint(tree, originOf(key), key),
    treeID: TREE_ID.toString(),
    treeSize: tree.size(),
  });
}

function consistency({ tree }: Log, parameters: URLSearchParams): SandboxReply {
  const first = Number(parameters.get('firstSize') ?? 1);
  const last = Number(parameters.get('lastSize') ?? 'NaN');
  try {
    const hashes = tree.consistencyProof(first, last).map((hash) => hash.toString('hex'));
    return json(200, { hashes, rootHash: tree.root(last).toString('hex') });
  } catch (error) {
    throw plainError(400, messageOf(error));
  }
}

function originOf(key: LogKey): string {
  return `${key.name} - ${TREE_ID}`;
}
