import type { LogKey } from './log-key.ts';
import type { MerkleTree } from './merkle-tree.ts';

/**
 * A log's signed statement of its size and root: C2SP tlog-checkpoint in a C2SP signed-note.
 * `origin` is the first line; the signature is made under the key's name.
 */
export function signCheckpoint(tree: MerkleTree, origin: string, key: LogKey): string {
  const note = `${origin}\n${tree.size()}\n${tree.root().toString('base64')}\n`;
  const signature = Buffer.concat([key.id.subarray(0, 4), key.sign(Buffer.from(note))]);
  return `${note}\n\u2014 ${key.name} ${signature.toString('base64')}\n`;
}
