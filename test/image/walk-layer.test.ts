import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { gzipSync } from 'node:zlib';
import { walkLayer } from '../../src/image/walk-layer.ts';
import type { Layer } from '../../src/image/image.ts';
import { digestOf, verifyingStream } from '../../src/oci/digest.ts';
import type { BlobReader } from '../../src/source/source.ts';
import { testContext } from '../support/context.ts';
import { buildLayer, type BuiltLayer, type TestCompression } from '../support/image-builder.ts';

const ENTRIES = [
  { path: 'etc/', type: 'directory' },
  { path: 'etc/name', body: 'value'.repeat(1000) },
] as const;

function layerOf({ descriptor, diffId }: BuiltLayer): Layer {
  return { index: 3, descriptor, diffId };
}

/** Serves other bytes than the descriptor says when told to, verified as a source must. */
function serving(bytes: Uint8Array, chunkBytes = 64): BlobReader {
  return {
    readBlob: ({ digest, size }) => {
      const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, at) =>
        bytes.subarray(at * chunkBytes, (at + 1) * chunkBytes),
      );
      return Promise.resolve(Readable.from(chunks).compose(verifyingStream({ digest, size }, 'the blob')) as Readable);
    },
  };
}

async function walk(built: BuiltLayer, bytes = built.bytes, layer = layerOf(built)): Promise<string[]> {
  const bodies: string[] = [];
  const listing = await walkLayer(
    serving(bytes),
    layer,
    (entry) => {
      let size = 0;
      return { write: (chunk) => (size += chunk.length) > 0, end: () => bodies.push(`${entry.path} ${size}`) };
    },
    testContext(),
  );
  expect(listing.layerIndex).toBe(3);
  return [...listing.entries.map(({ path }) => path), ...bodies];
}

describe('a layer', () => {
  test.each<TestCompression>(['none', 'gzip', 'gzip-members', 'zstd', 'zstd-frames'])(
    'compressed with %s is read whole',
    async (compression) => {
      const built = buildLayer(ENTRIES, { compression });
      await expect(walk(built)).resolves.toEqual(['etc', 'etc/name', 'etc/name 5000']);
    },
  );

  test.each<TestCompression>(['none', 'gzip', 'gzip-members', 'zstd', 'zstd-frames'])(
    'compressed with %s and cut short is refused, though its digest fits',
    async (compression) => {
      const { bytes, diffId, tar } = buildLayer(ENTRIES, { compression });
      const cut = buildLayer(tar, { compression });
      const shorter = bytes.subarray(0, bytes.length - 1100 < 20 ? bytes.length - 5 : bytes.length - 1100);
      const descriptor = { ...cut.descriptor, digest: digestOf(shorter), size: shorter.length };
      await expect(walk(cut, shorter, { index: 3, descriptor, diffId })).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:LAYER_INVALID|DIGEST_MISMATCH)$/),
      });
    },
  );

  test('that ends within a file is refused, though blob and tar are what they should be', async () => {
    const { tar } = buildLayer(ENTRIES);
    const cut = buildLayer(tar.subarray(0, tar.length - 3000), { compression: 'none' });
    await expect(walk(cut)).rejects.toMatchObject({
      code: 'LAYER_INVALID',
      message: expect.stringContaining('middle'),
    });
    await expect(walk(buildLayer(cut.tar))).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });

  test('whose configuration names another diffID is refused', async () => {
    const built = buildLayer(ENTRIES);
    const other = { ...layerOf(built), diffId: digestOf('other') };
    await expect(walk(built, built.bytes, other)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('that was damaged is told by its digest, not by what the damage looks like', async () => {
    const built = buildLayer(ENTRIES);
    const damaged = Buffer.from(built.bytes);
    damaged.writeUInt8((damaged[20] ?? 0) ^ 0xff, 20);
    await expect(walk(built, damaged)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await expect(walk(built, built.bytes.subarray(0, 30))).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  });

  test('with bytes behind the gzip stream is refused', async () => {
    const { tar } = buildLayer(ENTRIES);
    const bytes = Buffer.concat([gzipSync(tar), Buffer.from('garbage')]);
    const built = {
      ...buildLayer(tar),
      descriptor: { ...buildLayer(tar).descriptor, digest: digestOf(bytes), size: bytes.length },
    };
    await expect(walk(built, bytes)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });

  test('with zeros behind the gzip stream is read, and the zeros are part of its digest', async () => {
    const { tar } = buildLayer(ENTRIES);
    const bytes = Buffer.concat([gzipSync(tar), Buffer.alloc(300_000)]);
    const built = {
      ...buildLayer(tar),
      descriptor: { ...buildLayer(tar).descriptor, digest: digestOf(bytes), size: bytes.length },
    };
    await expect(walk(built, bytes)).resolves.toContain('etc/name');
    const other = Buffer.from(bytes);
    other.writeUInt8(1, bytes.length - 1);
    await expect(walk(built, other)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('whose media type lies is read as what it is, with a warning', async () => {
    const built = buildLayer(ENTRIES, {
      compression: 'zstd',
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    });
    const context = testContext();
    await walkLayer(serving(built.bytes), layerOf(built), () => undefined, context);
    expect(context.events.find(({ kind }) => kind === 'warning')).toMatchObject({
      message: expect.stringContaining('read as zstd'),
    });
  });

  test.each([
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'encrypted'],
    ['application/vnd.in-toto+json', 'not a file-system layer'],
  ])('of type %s is refused before it is read', async (mediaType, message) => {
    const built = buildLayer(ENTRIES, { mediaType });
    await expect(walk(built)).rejects.toMatchObject({
      code: 'LAYER_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('that is no tar, or xz, is refused', async () => {
    await expect(walk(buildLayer(Buffer.from('no tar '.repeat(200))))).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    const xz = buildLayer(Buffer.from('fd377a585a000000', 'hex'), { compression: 'none' });
    await expect(walk(xz)).rejects.toMatchObject({ message: expect.stringContaining('xz') });
  });

  test('stops when the run is interrupted', async () => {
    const controller = new AbortController();
    const built = buildLayer(ENTRIES);
    const visit = (): undefined => void controller.abort();
    const walking = walkLayer(serving(built.bytes), layerOf(built), visit, testContext({ signal: controller.signal }));
    await expect(walking).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('fails with what a visitor throws', async () => {
    const built = buildLayer(ENTRIES);
    const visit = (): never => {
      throw new Error('visitor');
    };
    await expect(walkLayer(serving(built.bytes), layerOf(built), visit, testContext())).rejects.toThrow('visitor');
  });

  test('reports the bytes it read', async () => {
    const built = buildLayer(ENTRIES);
    const context = testContext();
    await walkLayer(serving(built.bytes), layerOf(built), () => undefined, context);
    expect(context.events.at(-1)).toEqual({
      kind: 'bytes',
      id: built.descriptor.digest,
      doneBytes: built.bytes.length,
      totalBytes: built.bytes.length,
    });
  });
});
