import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { openLayout } from '../../source/layout.ts';
import { createLayout } from '../../source/layout-writer.ts';
import { buildImage } from './demo-image.ts';
import { packageRootOf, productionDependencies, runtimeFile, systemFiles } from './real-files.ts';

/**
 * Builds the demo's image as an OCI layout in `workFolder`: the running system's package database, the Node that runs
 * boltseal, boltseal's own production dependencies. Returns the reference to it.
 *
 * @throws BoltsealError FILE_NOT_FOUND outside an installed package, FILE_UNREADABLE, FILE_UNWRITABLE
 */
export async function makeDemoImage(workFolder: string, start: string, context: Context): Promise<string> {
  const path = join(workFolder, 'image');
  await createLayout(path, context);
  await using layout = await openLayout({ kind: 'layout', path }, context);
  const plans = [
    { name: 'the operating system’s package database', items: systemFiles(), compression: 'gzip' as const },
    { name: 'Node', items: runtimeFile(context.execPath), compression: 'zstd' as const },
    {
      name: 'boltseal and what it depends on',
      items: productionDependencies(packageRoot(start)),
      compression: 'gzip' as const,
    },
  ];
  await buildImage(layout, plans, { tag: '1.0', workFolder }, context);
  return `oci:${path}:1.0`;
}

/** The policy the demo verifies under. */
export function demoPolicyPath(start: string): string {
  return join(packageRoot(start), 'policies', 'demo.yaml');
}

function packageRoot(start: string): string {
  const found = packageRootOf(start);
  if (found !== undefined) return found;
  throw new BoltsealError('FILE_NOT_FOUND', 'the folder of the boltseal package cannot be found', {
    hint: 'Run the demo from a checkout or an installed package.',
  });
}
