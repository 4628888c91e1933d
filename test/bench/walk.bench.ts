/**
 * How fast layers are walked, beside what merely decompresses them. Ratios count; the figures are one machine's on one day.
 *
 *     node test/bench/walk.bench.ts [TAR]
 *
 * Without TAR one is made of the machine's own /usr/share.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { flatten } from '../../src/image/flatten.ts';
import type { LayerListing } from '../../src/image/file-tree.ts';
import { walkLayer } from '../../src/image/walk-layer.ts';
import { finishDigest, verifyingStream, type Digest } from '../../src/oci/digest.ts';
import type { BlobReader } from '../../src/source/source.ts';
import { testContext } from '../support/context.ts';

const digests = new Map<string, Digest>();
const { positionals } = parseArgs({ allowPositionals: true });
const folder = mkdtempSync(join(tmpdir(), 'boltseal-bench-'));
try {
  await run(positionals.find((name) => name.endsWith('.tar')) ?? makeTar());
} finally {
  rmSync(folder, { recursive: true });
}

async function run(tar: string): Promise<void> {
  const tarBytes = statSync(tar).size;
  const diffId = await digestFile(tar);
  console.log(`${tar}: ${(tarBytes / 1e6).toFixed(0)} MB`);
  const tools = [
    { suffix: 'gzip', make: ['gzip', '-6', '-c'], floor: ['gzip', '-dc'] },
    { suffix: 'zstd', make: ['zstd', '-3', '-q', '-c'], floor: ['zstd', '-dc'] },
  ] as const;
  await measure('walk, not compressed', tarBytes, () => walk(tar, { diffId, type: '' }));
  for (const { suffix, make, floor } of tools) {
    const stored = join(folder, `layer.${suffix}`);
    execFileSync('sh', ['-c', `${make.join(' ')} "$1" > "$2"`, 'sh', tar, stored]);
    await measure(
      floor.join(' '),
      tarBytes,
      () => void spawnSync('sh', ['-c', `${floor.join(' ')} "$1" > /dev/null`, 'sh', stored]),
    );
    await measure(`walk, ${suffix}`, tarBytes, () => walk(stored, { diffId, type: `+${suffix}` }));
  }
  const listing = await walk(tar, { diffId, type: '' });
  measureFlatten(listing);
}

/** Blob digest, decompression, tar digest and tar: the whole of walkLayer. */
async function walk(
  path: string,
  { diffId, type }: { readonly diffId: Digest; readonly type: string },
): Promise<LayerListing> {
  const digest = digests.get(path) ?? (await digestFile(path));
  digests.set(path, digest);
  const size = statSync(path).size;
  const source: BlobReader = {
    readBlob: (descriptor) => {
      const checked = verifyingStream(descriptor, path);
      void pipeline(createReadStream(path, { highWaterMark: 256 * 1024 }), checked).catch(() => {});
      return Promise.resolve(checked);
    },
  };
  const mediaType = `application/vnd.oci.image.layer.v1.tar${type}`;
  return walkLayer(source, { index: 0, descriptor: { mediaType, digest, size }, diffId }, () => undefined, {
    ...testContext(),
    emit: () => {},
  });
}

async function measure(what: string, bytes: number, work: () => unknown): Promise<void> {
  const rates: number[] = [];
  await work();
  for (let run = 0; run < 3; run += 1) {
    const start = performance.now();
    await work();
    rates.push(bytes / 1e3 / (performance.now() - start));
  }
  const median = rates.toSorted((a, b) => a - b)[1] ?? 0;
  console.log(`${what.padEnd(24)} ${median.toFixed(0).padStart(5)} MB/s of tar`);
}

/** The layer's names over and over under other folders, up to 500,000, in three layers with whiteouts between. */
function measureFlatten({ entries }: LayerListing): void {
  const wanted = 500_000;
  const copies = Math.ceil(wanted / entries.length);
  const all = Array.from({ length: copies }, (_, copy) =>
    entries.map((entry) => ({
      ...entry,
      path: `copy-${copy}/${entry.path}`,
      ...(entry.linkTarget === undefined
        ? {}
        : { linkTarget: entry.type === 'hardlink' ? `copy-${copy}/${entry.linkTarget}` : entry.linkTarget }),
    })),
  )
    .flat()
    .slice(0, wanted);
  const whiteouts = Array.from({ length: copies }, (_, copy) => ({
    path: `.wh.copy-${copy}`,
    type: 'file' as const,
    size: 0,
    mode: 0,
  })).slice(0, 5);
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  const tree = flatten([
    { layerIndex: 0, entries: all },
    { layerIndex: 1, entries: whiteouts },
    { layerIndex: 2, entries: all.slice(0, wanted / 5) },
  ]);
  const flattened = performance.now();
  const count = [...tree.entries()].length;
  const listed = performance.now();
  console.log(
    `flatten ${all.length * 1.2} entries: ${(flattened - start).toFixed(0)} ms, listing ${count} in order: ${(listed - flattened).toFixed(0)} ms, heap +${((process.memoryUsage().heapUsed - before) / 1e6).toFixed(0)} MB`,
  );
}

/** A folder every machine has; what cannot be read there does not matter. */
function makeTar(): string {
  const tar = join(folder, 'layer.tar');
  spawnSync('tar', ['-cf', tar, '-C', '/usr', 'share'], { stdio: 'ignore' });
  return tar;
}

async function digestFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return finishDigest(hash);
}
