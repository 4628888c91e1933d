import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const KEY_PASSWORD = 'correct horse';

/** A key of test/fixtures/keys, whose README says how each was made. */
export function keyFile(name: string): string {
  return readFileSync(keyPath(name), 'utf8');
}

export function keyPath(name: string): string {
  return join(import.meta.dirname, '../fixtures/keys', name);
}
