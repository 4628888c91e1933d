import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { digestOf, isDigest, parseDigest, verifyBytes, verifyingStream, type Digest } from '../../src/oci/digest.ts';

const BYTES = new TextEncoder().encode('hello');
const digest = digestOf(BYTES);
const read = async (pieces: readonly Uint8Array[], expected: { digest: Digest; size?: number }): Promise<string> =>
  Buffer.concat(await Readable.from(pieces).pipe(verifyingStream(expected, 'the blob')).toArray()).toString();

describe('digests', () => {
  test.each([`sha256:${'0f'.repeat(32)}`, `sha512:${'0f'.repeat(64)}`])('accepts %s', (text) => {
    expect(isDigest(text)).toBe(true);
  });

  test.each([
    `sha256:${'0F'.repeat(32)}`,
    `sha256:${'0f'.repeat(31)}`,
    `sha256:${'0f'.repeat(64)}`,
    `sha384:${'0f'.repeat(48)}`,
    'sha256:',
    `x${digest}`,
    `${digest}\n`,
  ])('refuses %j', (text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrowError(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });
});

describe('verifyingStream', () => {
  test('passes the right bytes, in any number of pieces', async () => {
    expect(await read([BYTES.subarray(0, 2), BYTES.subarray(2)], { digest, size: 5 })).toBe('hello');
    expect(await read([BYTES], { digest: digestOf(BYTES, 'sha512') })).toBe('hello');
  });

  test('fails on one changed bit', async () => {
    await expect(read([Uint8Array.of(...BYTES.subarray(0, 4), 0x6e)], { digest, size: 5 })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });

  test('fails when it is cut short', async () => {
    await expect(read([BYTES.subarray(0, 4)], { digest, size: 5 })).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  });

  test('fails at the first byte too many, before the source has ended', async () => {
    const endless = Readable.from(
      (function* forever(): Generator<Uint8Array> {
        for (;;) yield BYTES;
      })(),
    );
    await expect(endless.pipe(verifyingStream({ digest, size: 5 }, 'the blob')).toArray()).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
    endless.destroy();
  });
});

test('verifyBytes checks size and digest', () => {
  expect(verifyBytes(BYTES, { digest, size: 5 }, 'it')).toBe(BYTES);
  expect(() => verifyBytes(BYTES, { digest, size: 4 }, 'it')).toThrowError(
    expect.objectContaining({ code: 'SIZE_MISMATCH' }),
  );
  expect(() => verifyBytes(BYTES, { digest: digestOf('other') }, 'it')).toThrowError(
    expect.objectContaining({ code: 'DIGEST_MISMATCH' }),
  );
});
