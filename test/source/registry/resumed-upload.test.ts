import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { openCursor } from '../../../src/source/registry/blob-cursor.ts';
import { blobOf, codeOf, openAt } from '../../support/open-registry.ts';
import { startUploadServer, type UploadBehaviour, type UploadServer } from '../../support/upload-server.ts';

const MiB = 1024 * 1024;
const big = blobOf(randomBytes(20 * MiB));
const { size, digest } = big.descriptor;
const CUT = Math.floor(size * 0.9);

async function push(server: UploadServer): Promise<string | undefined> {
  const open = (): Readable => Readable.from(pieces());
  return codeOf(openAt(server.host).writeBlob(big.descriptor, open));
}

function* pieces(): Generator<Uint8Array> {
  for (let at = 0; at < size; at += 100_000) yield big.bytes.subarray(at, at + 100_000);
}

const isStored = ({ stored }: UploadServer): boolean =>
  createHash('sha256')
    .update(stored.get(digest) ?? '')
    .digest('hex') === digest.slice('sha256:'.length);

test('an upload that nothing cuts is one PUT', async () => {
  await using server = await startUploadServer();
  expect(await push(server)).toBeUndefined();
  expect(server.lines).toEqual(['HEAD', 'POST', 'PUT']);
  expect(server.receivedBytes()).toBe(size);
});

describe('an upload that is cut at 90 %', () => {
  test('goes on where it stopped, and sends hardly anything twice', async () => {
    await using server = await startUploadServer({ cutsAfterBytes: [CUT] });
    expect(await push(server)).toBeUndefined();
    expect(isStored(server)).toBe(true);
    expect(server.lines.map((line) => line.split(' ')[0])).toEqual(['HEAD', 'POST', 'PUT', 'GET', 'PATCH', 'PUT']);
    expect(server.receivedBytes() - size).toBe(0);
  });

  test.each([
    ['forgets the upload', { keeps: 'nothing' }],
    ['keeps only what it got whole', { keeps: 'whole chunks' }],
  ] as const)('starts anew, once, where the registry %s', async (_, behaviour) => {
    await using server = await startUploadServer({ cutsAfterBytes: [CUT], ...behaviour });
    expect(await push(server)).toBeUndefined();
    expect(isStored(server)).toBe(true);
    expect(server.receivedBytes() - size).toBeLessThan(CUT + MiB);
    expect(server.lines.filter((line) => line === 'POST')).toHaveLength(2);
  });

  test('and again within a chunk costs no more than that chunk', async () => {
    // Of the first attempt nothing is left; the second is in chunks of 16 MiB, and its second chunk is cut.
    await using server = await startUploadServer({ cutsAfterBytes: [CUT, CUT + 19 * MiB], keeps: 'whole chunks' });
    expect(await push(server)).toBeUndefined();
    expect(isStored(server)).toBe(true);
    expect(server.receivedBytes() - size).toBeLessThan(CUT + 4 * MiB);
  });

  test.each([
    ['that refuses a chunk at the wrong place (416)', { losesBytes: 1000 }, 1],
    ['that takes a chunk at the wrong place without a word', { losesBytes: 1000, ignoresRange: true }, 2],
  ] as const)('is right in the end at a registry %s', async (_, behaviour: UploadBehaviour, posts) => {
    await using server = await startUploadServer({ cutsAfterBytes: [CUT], ...behaviour });
    expect(await push(server)).toBeUndefined();
    expect(isStored(server)).toBe(true);
    expect(server.lines.filter((line) => line === 'POST')).toHaveLength(posts);
  });

  test.each([404, 405, 501])('is sent in one piece where the registry takes no chunks (%i)', async (patchStatus) => {
    await using server = await startUploadServer({ cutsAfterBytes: [CUT], patchStatus });
    expect(await push(server)).toBeUndefined();
    expect(isStored(server)).toBe(true);
  });
});

test('chunks are as long as the registry wants them', async () => {
  await using server = await startUploadServer({ cutsAfterBytes: [MiB], keeps: 'nothing', minChunkBytes: 18 * MiB });
  expect(await push(server)).toBeUndefined();
  expect(server.lines.filter((line) => line.startsWith('PATCH'))).toEqual([
    `PATCH 0-${18 * MiB - 1}`,
    `PATCH ${18 * MiB}-${size - 1}`,
  ]);
});

test.each([
  [0, [3, 4, 3]],
  [4, [6]],
  [9, [1]],
  [10, [0]],
])('a cursor from %i hands out pieces of any length', async (from, lengths) => {
  const text = Buffer.from('0123456789');
  for (const content of [
    () => text,
    () => Readable.from([text.subarray(0, 2), text.subarray(2, 7), text.subarray(7)]),
  ]) {
    using cursor = openCursor(content, from);
    const read: string[] = [];
    for (const length of lengths) read.push((await buffer(cursor.take(length))).toString());
    expect(read.join('')).toBe(text.subarray(from).toString());
    expect(read.map(({ length }) => length)).toEqual(lengths);
  }
});
