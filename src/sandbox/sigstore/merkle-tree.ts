import { createHash } from 'node:crypto';

/**
 * An append-only Merkle tree over SHA-256 (RFC 6962, section 2). Hashes of complete subtrees are kept, so that root and
 * proofs cost O(log n).
 */
export interface MerkleTree {
  readonly size: () => number;
  /** Appends a leaf that was hashed with `leafHash`, and returns its index. */
  readonly append: (leaf: Uint8Array) => number;
  /** MTH(D[0:size]) of the tree as it was at `size`; by default as it is now. */
  readonly root: (size?: number) => Buffer;
  /** PATH(index, D[0:size]), lowest first. @throws RangeError */
  readonly inclusionProof: (index: number, size?: number) => readonly Buffer[];
  /** PROOF(from, D[0:to]). @throws RangeError */
  readonly consistencyProof: (from: number, to?: number) => readonly Buffer[];
  /** The hash of a complete subtree of 2^level leaves, or undefined while it is not complete. */
  readonly subtree: (level: number, index: number) => Buffer | undefined;
}

export function merkleTree(): MerkleTree {
  /** `levels[k][i]` covers the leaves [i·2^k, (i+1)·2^k). */
  const levels: Buffer[][] = [[]];
  const size = (): number => levels[0]?.length ?? 0;
  const subtree = (level: number, index: number): Buffer | undefined => levels[level]?.[index];

  const hashRange = (start: number, end: number): Buffer => {
    const count = end - start;
    if (count === 0) return sha256();
    const level = Math.log2(count);
    const known = Number.isInteger(level) && start % count === 0 ? subtree(level, start / count) : undefined;
    if (known !== undefined) return known;
    const split = start + largestPowerBelow(count);
    return nodeHash(hashRange(start, split), hashRange(split, end));
  };

  const path = (index: number, start: number, end: number): Buffer[] => {
    if (end - start === 1) return [];
    const split = start + largestPowerBelow(end - start);
    return index < split
      ? [...path(index, start, split), hashRange(split, end)]
      : [...path(index, split, end), hashRange(start, split)];
  };

  /** SUBPROOF of RFC 6962, section 2.1.2; `whole` while the left part is the old tree itself. */
  const subproof = (from: number, range: readonly [number, number], whole: boolean): Buffer[] => {
    const [start, end] = range;
    if (from === end) return whole ? [] : [hashRange(start, end)];
    const split = start + largestPowerBelow(end - start);
    return from <= split
      ? [...subproof(from, [start, split], whole), hashRange(split, end)]
      : [...subproof(from, [split, end], false), hashRange(start, split)];
  };

  return {
    size,
    subtree,
    append(leaf) {
      levels[0]?.push(Buffer.from(leaf));
      for (let level = 0; (levels[level]?.length ?? 0) % 2 === 0; level += 1) {
        const [left, right] = (levels[level] ?? []).slice(-2);
        if (left === undefined || right === undefined) break;
        (levels[level + 1] ??= []).push(nodeHash(left, right));
      }
      return size() - 1;
    },
    root: (at = size()) => hashRange(0, within(at, 0, size())),
    inclusionProof: (index, at = size()) => path(within(index, 0, at - 1), 0, within(at, 1, size())),
    consistencyProof: (from, to = size()) => subproof(within(from, 1, to), [0, within(to, 1, size())], true),
  };
}

/** RFC 6962, section 2.1: the hash of a leaf is made with another prefix than that of a node. */
export function leafHash(data: Uint8Array): Buffer {
  return sha256(Uint8Array.of(0), data);
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Uint8Array.of(1), left, right);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The largest power of two smaller than `count`, which is at least 2. */
function largestPowerBelow(count: number): number {
  return 2 ** (Math.ceil(Math.log2(count)) - 1);
}

function within(value: number, lowest: number, highest: number): number {
  if (Number.isSafeInteger(value) && value >= lowest && value <= highest) return value;
  throw new RangeError(`${value} is not between ${lowest} and ${highest}`);
}
