import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env['BOLTSEAL_VECTORS'] ?? join(import.meta.dirname, '../../../shared/vectors');

/** The folder with test data made by others, or undefined where it is not there: such tests skip and say so. */
export const VECTORS: string | undefined = existsSync(folder) ? folder : undefined;
