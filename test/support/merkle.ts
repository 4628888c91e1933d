import { createHash } from 'node:crypto';

/** Auditing of a log as a stranger does it: RFC 9162, sections 2.1.3.2 and 2.1.4.2, written apart from the log itself. */

export function hashLeaf(data: Uint8Array): Buffer {
  return hash(Uint8Array.of(0), data);
}

export function rootOf(leaves: readonly Uint8Array[]): Buffer {
  let row: Buffer[] = leaves.map((leaf) => Buffer.from(leaf));
  if (row.length === 0) return hash();
  while (row.length > 1) {
    const pairs: Buffer[] = [];
    for (let at = 0; at < row.length; at += 2) {
      const [left, right] = row.slice(at, at + 2);
      if (left !== undefined) pairs.push(right === undefined ? left : hash(Uint8Array.of(1), left, right));
    }
    row = pairs;
  }
  return row[0] ?? hash();
}

interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Uint8Array[];
}

/** The root that an inclusion proof leads to, or undefined when it has the wrong length. */
export function rootByInclusion(leaf: Uint8Array, { index, size, proof }: Inclusion): Buffer | undefined {
  let [fn, sn] = [index, size - 1];
  let found: Buffer = Buffer.from(leaf);
  for (const step of proof) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      found = hash(Uint8Array.of(1), step, found);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else found = hash(Uint8Array.of(1), found, step);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 ? found : undefined;
}

interface Growth {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Uint8Array;
  readonly secondRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

export function isConsistent({ first, second, firstRoot, secondRoot, proof }: Growth): boolean {
  if (first === second) return proof.length === 0 && Buffer.from(firstRoot).equals(secondRoot);
  const path = Number.isInteger(Math.log2(first)) ? [firstRoot, ...proof] : [...proof];
  const [start, ...rest] = path;
  if (start === undefined) return false;
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let older: Buffer = Buffer.from(start);
  let newer: Buffer = older;
  for (const step of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      older = hash(Uint8Array.of(1), step, older);
      newer = hash(Uint8Array.of(1), step, newer);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else newer = hash(Uint8Array.of(1), newer, step);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && older.equals(firstRoot) && newer.equals(secondRoot);
}

function hash(...parts: readonly Uint8Array[]): Buffer {
  const sha256 = createHash('sha256');
  for (const part of parts) sha256.update(part);
  return sha256.digest();
}
