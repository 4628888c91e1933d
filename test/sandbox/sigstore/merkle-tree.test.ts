import { describe, expect, test } from 'vitest';
import { leafHash, merkleTree, type MerkleTree } from '../../../src/sandbox/sigstore/merkle-tree.ts';
import { hashLeaf, isConsistent, rootByInclusion, rootOf } from '../../support/merkle.ts';

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33];

describe('the log’s tree', () => {
  test('hashes the empty tree and one empty leaf as RFC 6962 does', () => {
    expect(merkleTree().root().toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(treeOf(1).root()).toEqual(hashLeaf(Buffer.from('0')));
  });

  test.for(SIZES)('has the root that an auditor computes, with %i leaves', (size) => {
    expect(treeOf(size).root()).toEqual(rootOf(leavesOf(size)));
    expect(treeOf(40).root(size)).toEqual(rootOf(leavesOf(size)));
  });

  test.for(SIZES)('proves that each of %i leaves is in it', (size) => {
    const tree = treeOf(size);
    for (const [index, leaf] of leavesOf(size).entries())
      expect(rootByInclusion(leaf, { index, size, proof: tree.inclusionProof(index) })).toEqual(tree.root());
  });

  test('does not prove a leaf that is not in it', () => {
    const tree = treeOf(9);
    const proof = tree.inclusionProof(4);
    expect(rootByInclusion(hashLeaf(Buffer.from('another')), { index: 4, size: 9, proof })).not.toEqual(tree.root());
    expect(() => tree.inclusionProof(9)).toThrow(RangeError);
  });

  test('proves that it only grew, between every two sizes', () => {
    const tree = treeOf(33);
    for (let second = 1; second <= 33; second += 1) {
      for (let first = 1; first <= second; first += 1) {
        const proof = tree.consistencyProof(first, second);
        const roots = { firstRoot: tree.root(first), secondRoot: tree.root(second) };
        expect(isConsistent({ first, second, ...roots, proof })).toBe(true);
      }
    }
  });

  test('does not prove growth from a tree that had another leaf', () => {
    const [tree, other] = [treeOf(9), merkleTree()];
    for (const text of ['0', '1', 'x', '3', '4']) other.append(leafHash(Buffer.from(text)));
    const proof = tree.consistencyProof(5, 9);
    const roots = { firstRoot: other.root(), secondRoot: tree.root() };
    expect(isConsistent({ first: 5, second: 9, ...roots, proof })).toBe(false);
  });
});

function treeOf(size: number): MerkleTree {
  const tree = merkleTree();
  for (const leaf of leavesOf(size)) tree.append(leaf);
  return tree;
}

function leavesOf(size: number): readonly Buffer[] {
  return Array.from({ length: size }, (_, at) => hashLeaf(Buffer.from(String(at))));
}
