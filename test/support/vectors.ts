import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = process.env['BOLTSEAL_VECTORS'] ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url));

/** The folder with test data made by others, or undefined when it is not there. */
export const VECTORS: string | undefined = existsSync(folder) ? folder : undefined;

/** What a test that needs them says when it is skipped. */
export const VECTORS_MISSING = 'needs the test vectors: put them at ../shared/vectors or name them in BOLTSEAL_VECTORS';
