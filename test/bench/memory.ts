import { randomBytes } from 'node:crypto';
import { boltseal, installed, push } from './contenders.ts';
import { buildImage, buildLayer } from '../support/image-builder.ts';
import type { BenchOptions } from './options.ts';
import { printRace, race, type Racer } from './race.ts';
import { startRegistryServer } from './registry-server.ts';

const LAYERS = 8;
const FILE_BYTES = 64 * 1024;

/**
 * Peak memory and time of copying a large image from one registry to another and of reading all of it for its SBOM, beside
 * tools that copy, and with the young generation of V8's heap kept small.
 */
export async function memory({ runs, sizeBytes }: BenchOptions): Promise<void> {
  await using from = await startRegistryServer();
  await using to = await startRegistryServer();
  const tools = installed('oras', 'crane');
  await pushLargeImage(`${from.host}/large`, sizeBytes);
  const image = `${from.host}/large:0`;
  const fresh = (name: string, round: number): string => `${to.host}/${name}-${round}:0`;
  const copies: readonly Racer[] = [
    ...Object.entries(HEAPS).map(([name, flags]) => ({
      name: `boltseal copy${name}`,
      prepare: (round: number) =>
        withFlags(flags, boltseal(['copy', image, fresh(`boltseal${flags.length}${flags.join('').length}`, round)])),
    })),
    ...Object.entries(COPY_TOOLS)
      .filter(([name]) => tools.has(name))
      .map(([name, args]) => ({
        name,
        prepare: (round: number) => ({ name, command: name, args: [...args, image, fresh(name, round)] }),
      })),
  ];
  const boms: readonly Racer[] = Object.entries(HEAPS).map(([name, flags]) => ({
    name: `boltseal sbom${name}`,
    prepare: () => withFlags(flags, boltseal(['sbom', image])),
  }));
  const what = `${(sizeBytes / 1e9).toFixed(2)} GB in ${LAYERS} layers, registry ${from.name}, median of ${runs}`;
  printRace(`copy ${what}`, await race(copies, { runs, warmUp: false }));
  printRace(`sbom ${what}`, await race(boms, { runs, warmUp: false }));
}

const HEAPS: Readonly<Record<string, readonly string[]>> = {
  '': [],
  ', semi-space 2 MB': ['--max-semi-space-size=2'],
  ', semi-space growth 1': ['--semi-space-growth-factor=1'],
};

const COPY_TOOLS: Readonly<Record<string, readonly string[]>> = {
  oras: ['cp', '--from-plain-http', '--to-plain-http'],
  crane: ['copy', '--insecure'],
};

function withFlags<T extends { readonly args: readonly string[] }>(flags: readonly string[], program: T): T {
  return { ...program, args: [...flags, ...program.args] };
}

/** Files of which half compresses. Layers go one after another: two of them in memory are what building one takes. */
async function pushLargeImage(repository: string, sizeBytes: number): Promise<void> {
  const files = Math.ceil(sizeBytes / LAYERS / FILE_BYTES);
  const half = Buffer.alloc(FILE_BYTES / 2, 'boltseal ');
  const layers = Array.from({ length: LAYERS }, (_, layer) =>
    buildLayer(
      Array.from({ length: files }, (__, file) => ({
        path: `usr/share/${layer}/${file}.bin`,
        body: Buffer.concat([randomBytes(FILE_BYTES / 2), half]),
      })),
    ),
  );
  await push([buildImage({ layers })], repository);
}
