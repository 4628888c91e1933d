import type { MerkleTree } from './merkle-tree.ts';

/** C2SP tlog-tiles 1.0: a tile is 256 wide and 8 high. */
const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/** The hashes of one tile, concatenated; undefined when the log does not have them all. */
export function hashTile(tree: MerkleTree, level: number, path: string): Buffer | undefined {
  return readTile(path, (index) => tree.subtree(level * TILE_HEIGHT, index));
}

/** The entries of one tile, each after its length in two bytes, big-endian. */
export function entryTile(bodies: readonly Buffer[], path: string): Buffer | undefined {
  return readTile(path, (index) => {
    const body = bodies[index];
    if (body === undefined) return undefined;
    return Buffer.concat([Uint8Array.of(body.length >> 8, body.length & 0xff), body]);
  });
}

function readTile(path: string, read: (index: number) => Buffer | undefined): Buffer | undefined {
  const tile = parsePath(path);
  if (tile === undefined) return undefined;
  const parts = Array.from({ length: tile.width }, (_, at) => read(tile.index * TILE_WIDTH + at));
  return parts.some((part) => part === undefined)
    ? undefined
    : Buffer.concat(parts.filter((part) => part !== undefined));
}

/** `x001/x234/067` with an optional `.p/WIDTH`: an index in groups of three digits, all but the last marked with x. */
function parsePath(path: string): { readonly index: number; readonly width: number } | undefined {
  const match = /^(?<groups>(?:x\d{3}\/)*\d{3})(?:\.p\/(?<width>[1-9]\d{0,2}))?$/.exec(path);
  if (match?.groups === undefined) return undefined;
  const { groups = '', width = String(TILE_WIDTH) } = match.groups;
  const index = Number(groups.replaceAll(/[x/]/g, ''));
  return Number(width) > TILE_WIDTH ? undefined : { index, width: Number(width) };
}
