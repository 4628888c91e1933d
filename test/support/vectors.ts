import { existsSync } from 'node:fs';
import { join } from 'node:path';

const candidate = process.env['BOLTSEAL_VECTORS'] ?? join(import.meta.dirname, '../../../shared/vectors');

/** The folder of test data made by others, where it is there. Tests that need it say so when it is not. */
export const VECTORS: string | undefined = existsSync(candidate) ? candidate : undefined;

if (VECTORS === undefined)
  process.stderr.write(
    'skipped: tests against data made by others; put it at ../shared/vectors or name it in BOLTSEAL_VECTORS\n',
  );
