import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyCase, type InputKind } from '../support/conformance-case.ts';
import { VECTORS } from '../support/vectors.ts';

/**
 * Cases that do not end as the suite says, each with the reason. They are run all the same: one that begins to pass fails
 * here until its line is taken out.
 */
const EXPECTED_FAILURES: Readonly<Record<string, string>> = {};

const folder = join(VECTORS ?? '', 'bundles');
const names =
  VECTORS === undefined
    ? []
    : readdirSync(folder).filter((name) => existsSync(join(folder, name, 'bundle.sigstore.json')));
const cases = names.flatMap((name) => (['path', 'digest'] as const).map((input): [string, InputKind] => [name, input]));

describe.skipIf(VECTORS === undefined)(
  'the shared client suite (needs the test vectors beside the project, or in BOLTSEAL_VECTORS)',
  () => {
    test('there are some cases', () => expect(names.length).toBeGreaterThan(10));

    test('every expected failure is a case', () =>
      expect(Object.keys(EXPECTED_FAILURES).filter((id) => !cases.some((one) => one.join(' by ') === id))).toEqual([]));

    test.each(cases)('%s by %s', async (name, input) => {
      const { exitCode, stderr } = await verifyCase(join(folder, name), input, join(folder, 'a.txt'));
      const asTheSuiteSays = name.endsWith('_fail') ? exitCode !== 0 : exitCode === 0;
      const said = `${exitCode}: ${stderr}`;
      expect({ said, asTheSuiteSays }).toEqual({ said, asTheSuiteSays: !(`${name} by ${input}` in EXPECTED_FAILURES) });
      // A crash is not a rejection.
      expect(exitCode).not.toBe(70);
    });
  },
);
