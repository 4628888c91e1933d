import type { Context } from '../../base/context.ts';
import { messageOf } from '../../base/errors.ts';
import { json, readBody, type Route, type SandboxReply, type SandboxRequest } from '../http/message.ts';
import { serve } from '../http/server.ts';
import { rpcError } from './api-error.ts';
import { signCheckpoint } from './checkpoint.ts';
import { ed25519LogKey, type LogKey } from './log-key.ts';
import { leafHash, merkleTree, type MerkleTree } from './merkle-tree.ts';
import type { TransparencyLog } from './rekor-v1.ts';
import { canonicalBody, MAX_REQUEST_BYTES } from './rekor-v2-entry.ts';
import { entryTile, hashTile } from './tiles.ts';

interface Log {
  readonly key: LogKey;
  readonly tree: MerkleTree;
  readonly bodies: Buffer[];
  readonly indexByLeaf: Map<string, number>;
}

/**
 * A log with the HTTP API of Rekor v2 (rekor-tiles 2.3): entries are written by one call, everything else is read as tiles
 * (C2SP tlog-tiles). It promises no time: an entry counts only beside a timestamp from an authority.
 */
export async function startRekorV2(port: number, context: Context): Promise<TransparencyLog> {
  const tree = merkleTree();
  let key = ed25519LogKey('');
  const service = await serve(
    {
      name: 'rekor v2',
      port,
      routes(url) {
        key = ed25519LogKey(new URL(url).hostname);
        return routes({ key, tree, bodies: [], indexByLeaf: new Map() });
      },
    },
    context,
  );
  return { ...service, key, size: tree.size };
}

function routes(log: Log): readonly Route[] {
  return [
    { methods: ['POST'], path: /^\/api\/v2\/log\/entries$/, answer: (request) => createEntry(request, log) },
    {
      methods: ['GET'],
      path: /^\/api\/v2\/checkpoint$/,
      answer: () => ({ status: 200, headers: TEXT, body: signCheckpoint(log.tree, log.key.name, log.key) }),
    },
    {
      methods: ['GET'],
      path: /^\/api\/v2\/tile\/entries\/(?<tile>.+)$/,
      answer: (_request, { tile = '' }) => tileReply(entryTile(log.bodies, tile)),
    },
    {
      methods: ['GET'],
      path: /^\/api\/v2\/tile\/(?<level>\d+)\/(?<tile>.+)$/,
      answer: (_request, { level = '', tile = '' }) => tileReply(hashTile(log.tree, Number(level), tile)),
    },
  ];
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

async function createEntry({ stream }: SandboxRequest, log: Log): Promise<SandboxReply> {
  const tooLarge = rpcError('invalidArgument', 'the request is too large').reply;
  const body = canonicalise(await readBody(stream, MAX_REQUEST_BYTES, tooLarge));
  const leaf = leafHash(body);
  const known = log.indexByLeaf.get(leaf.toString('hex'));
  if (known !== undefined) {
    const message = `an equivalent entry already exists in the transparency log with index ${known}`;
    throw rpcError('alreadyExists', message);
  }
  const index = log.tree.append(leaf);
  log.indexByLeaf.set(leaf.toString('hex'), index);
  log.bodies.push(body);
  return json(201, describe(log, index, body));
}

function canonicalise(request: Buffer): Buffer {
  try {
    return canonicalBody(request);
  } catch (error) {
    throw rpcError('invalidArgument', messageOf(error));
  }
}

/** TransparencyLogEntry of protobuf-specs 0.5, as JSON. */
function describe({ key, tree }: Log, index: number, body: Buffer): object {
  return {
    logIndex: String(index),
    logId: { keyId: key.id.toString('base64') },
    kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
    integratedTime: '0',
    inclusionProof: {
      logIndex: String(index),
      rootHash: tree.root().toString('base64'),
      treeSize: String(tree.size()),
      hashes: tree.inclusionProof(index).map((hash) => hash.toString('base64')),
      checkpoint: { envelope: signCheckpoint(tree, key.name, key) },
    },
    canonicalizedBody: body.toString('base64'),
  };
}

function tileReply(bytes: Buffer | undefined): SandboxReply {
  if (bytes === undefined) throw rpcError('notFound', 'the log has no such tile');
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: bytes };
}
