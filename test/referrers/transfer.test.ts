import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { byteBudget } from '../../src/referrers/byte-budget.ts';
import { writingOrder } from '../../src/referrers/copy-order.ts';
import type { GraphNode } from '../../src/referrers/copy-graph.ts';
import { lateStream } from '../../src/referrers/late-stream.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { buildSealedImage } from '../support/sealed-image.ts';

describe('a byte budget', () => {
  /** Runs tasks of these sizes and returns the most bytes and the most tasks that ran together. */
  async function run(sizes: readonly number[], budget: { tasks: number; bytes: number }): Promise<[number, number]> {
    const within = byteBudget(budget);
    const now = { bytes: 0, tasks: 0 };
    const most: [number, number] = [0, 0];
    const work = async (size: number): Promise<void> => {
      now.bytes += size;
      now.tasks += 1;
      most[0] = Math.max(most[0], now.bytes);
      most[1] = Math.max(most[1], now.tasks);
      await new Promise((resolve) => setImmediate(resolve));
      now.bytes -= size;
      now.tasks -= 1;
    };
    await Promise.all(sizes.map((size) => within(size, () => work(size))));
    return most;
  }

  test('holds back what would be too many bytes together', async () => {
    expect(await run([60, 60, 30, 10, 10, 90], { tasks: 10, bytes: 100 })).toEqual([100, 3]);
  });

  test('holds back what would be too many tasks together', async () => {
    expect(await run([1, 1, 1, 1, 1], { tasks: 2, bytes: 100 })).toEqual([2, 2]);
  });

  test('lets through what is larger than the budget, alone', async () => {
    expect(await run([10, 500, 10], { tasks: 10, bytes: 100 })).toEqual([500, 1]);
  });

  test('goes on after a failure', async () => {
    const within = byteBudget({ tasks: 1, bytes: 1 });
    const failed = within(1, () => Promise.reject(new Error('no')));
    const next = within(1, () => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});

test('manifests are written after what they name, whatever order they were found in', () => {
  const sealed = buildSealedImage();
  const nodes = new Map<Digest, GraphNode>(
    [...sealed.all].map(({ digest, bytes }) => [
      digest,
      { digest, bytes, manifest: parseManifest(bytes, undefined, 'test'), role: 'child' },
    ]),
  );
  const groups = writingOrder(nodes).map((group) => new Set(group.map(({ digest }) => digest)));
  const { index, amd64, arm64, attestation, cosign, sbom, report, sbomSignature } = sealed;
  const digests = (...images: readonly { digest: Digest }[]): ReadonlySet<Digest> =>
    new Set(images.map(({ digest }) => digest));
  expect(groups).toEqual([
    digests(amd64, arm64, attestation, cosign),
    digests(index, report),
    digests(sbom),
    digests(sbomSignature),
  ]);
});

describe('a stream that is opened late', () => {
  const failures: Error[] = [];
  const note = (error: Error): void => void failures.push(error);

  test('passes on every byte', async () => {
    const pieces = Array.from({ length: 100 }, (_, at) => Buffer.alloc(70_000, at));
    const stream = lateStream(async () => Readable.from(pieces), note);
    expect((await buffer(stream)).equals(Buffer.concat(pieces))).toBe(true);
    expect(failures).toEqual([]);
  });

  test.each([
    ['to open', (): Promise<Readable> => Promise.reject(new Error('cannot open'))],
    [
      'in the middle',
      async (): Promise<Readable> =>
        Readable.from(
          (function* () {
            yield Buffer.from('a');
            throw new Error('broke off');
          })(),
        ),
    ],
  ])('fails when what is behind it fails %s, and says so', async (_, open) => {
    const said: Error[] = [];
    await expect(buffer(lateStream(open, (error) => void said.push(error)))).rejects.toThrow(/cannot open|broke off/);
    expect(said).toHaveLength(1);
  });

  test('closes what is behind it when its reader gives up, which is no failure of the source', async () => {
    const inner = Readable.from([Buffer.from('a'), Buffer.from('b')]);
    const said: Error[] = [];
    const stream = lateStream(
      async () => inner,
      (error) => void said.push(error),
    );
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('readable', resolve));
    stream.destroy(new Error('the reader has trouble'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(inner.destroyed).toBe(true);
    expect(said).toEqual([]);
  });
});
