import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { constants, zstdCompressSync } from 'node:zlib';
import { decompressors } from '../../src/tar/decompress.ts';

const withChecksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const skippable = Buffer.from('532a4d1803000000010203', 'hex');
const parts = Array.from({ length: 300 }, (_, at) => Buffer.from(`part ${at} `.repeat(1 + (at % 50))));
const frames = parts.map((part, at) => zstdCompressSync(part, at % 2 === 0 ? withChecksum : {}));
const empty = zstdCompressSync(Buffer.alloc(0));
const stored = Buffer.concat([
  skippable,
  empty,
  ...frames.flatMap((frame, at) => (at % 7 === 0 ? [frame, skippable] : [frame])),
]);

async function expand(bytes: Buffer, chunkBytes: number): Promise<Buffer> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, at) =>
    bytes.subarray(at * chunkBytes, (at + 1) * chunkBytes),
  );
  const stages = decompressors('zstd');
  const last = stages.at(-1) as (typeof stages)[0];
  const [, found] = await Promise.all([pipeline([Readable.from(chunks), ...stages]), buffer(last)]);
  return found;
}

describe('a zstd stream of many frames', () => {
  test.each([1, 3, 64, 1000, 1_000_000])('is decompressed whole, in chunks of %i bytes', async (chunkBytes) => {
    expect((await expand(stored, chunkBytes)).equals(Buffer.concat(parts))).toBe(true);
  });

  test.each([1, 2, 5, 12, 40])('that lacks its last %i bytes is refused', async (missing) => {
    const whole = Buffer.concat([...frames, frames[1] ?? empty]);
    await expect(expand(whole.subarray(0, whole.length - missing), 100)).rejects.toThrow('middle of a frame');
  });

  test('with bytes between frames that are none is refused', async () => {
    await expect(expand(Buffer.concat([...frames, Buffer.from('garbage!')]), 1000)).rejects.toThrow('no zstd frame');
  });

  test('whose content was changed is refused', async () => {
    const changed = Buffer.from(frames[0] ?? empty);
    changed.writeUInt8((changed.at(-1) ?? 0) ^ 1, changed.length - 1);
    await expect(expand(Buffer.concat([changed, ...frames]), 1000)).rejects.toMatchObject({
      code: expect.stringContaining('ZSTD'),
    });
  });
});
