import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, buildLayer, writeLayout, type BuiltImage } from '../support/image-builder.ts';
import { hasTool } from '../support/tools.ts';
import { measureProcess, type Program } from './measure-process.ts';

/** The command line as it is installed. */
export function boltseal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  return {
    name: `boltseal ${args[0]}`,
    command: process.execPath,
    args: [...(process.env['BOLTSEAL_BENCH_NODE_FLAGS']?.split(' ') ?? []), 'dist/boltseal.cjs', ...args],
    env,
  };
}

/** Those of the tools that are installed; a line says which are not. */
export function installed(...tools: readonly string[]): ReadonlySet<string> {
  const missing = tools.filter((tool) => !hasTool(tool));
  if (missing.length > 0) console.log(`not installed, so not compared: ${missing.join(', ')}`);
  return new Set(tools.filter((tool) => !missing.includes(tool)));
}

/** An image of layers that do not compress, and that no other image has. */
export function randomImage({
  layers,
  layerBytes,
}: {
  readonly layers: number;
  readonly layerBytes: number;
}): BuiltImage {
  return buildImage({
    layers: Array.from({ length: layers }, (_, index) =>
      buildLayer([{ path: `file${index}`, body: Buffer.from(randomBytes(layerBytes)) }]),
    ),
  });
}

/** Puts images into a repository, each under its place in the list: `:0`, `:1` … */
export async function push(images: readonly BuiltImage[], repository: string): Promise<void> {
  const layout = mkdtempSync(join(tmpdir(), 'boltseal-bench-'));
  try {
    writeLayout(
      layout,
      images.map((image, index) => ({ image, tag: String(index) })),
    );
    await measureProcess(boltseal(['copy', '--all-tags', `oci:${layout}`, repository]));
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}
