import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Inventory } from '../../src/catalog/inventory.ts';
import { takeInventory } from '../../src/catalog/take-inventory.ts';
import { loadImage } from '../../src/image/load.ts';
import { openLayout } from '../../src/source/layout.ts';
import { testContext } from './context.ts';

/** A folder that is gone when the test is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'boltseal-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a program and returns what it printed. Its failure is the test's. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${result.stderr ?? String(result.error)}`);
  return result.stdout;
}

/** The first of these programs that this machine does not have. */
export function missingProgram(...names: readonly string[]): string | undefined {
  return names.find((name) => spawnSync('which', [name]).status !== 0);
}

/** Packs tars into an OCI layout with umoci, lowest layer first, and takes the inventory of what came out. */
export async function inventoryOfTars(...tars: readonly string[]): Promise<Inventory> {
  const layout = join(temporaryFolder(), 'layout');
  run('umoci', ['init', '--layout', layout]);
  run('umoci', ['new', '--image', `${layout}:test`]);
  for (const tar of tars) run('umoci', ['raw', 'add-layer', '--image', `${layout}:test`, tar]);
  const context = testContext();
  await using source = await openLayout({ kind: 'layout', path: layout, tag: 'test' }, context);
  const image = await loadImage(source, await source.resolve(), {}, context);
  return await takeInventory(source, image, {}, context);
}
