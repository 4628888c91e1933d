import { expect, test } from 'vitest';
import { documentTime } from '../../src/bom/timestamp.ts';
import type { ImageConfig } from '../../src/oci/config.ts';
import { testContext } from '../support/context.ts';

const config = (created?: string): ImageConfig => ({
  platform: { os: 'linux', architecture: 'amd64' },
  ...(created === undefined ? {} : { created }),
  diffIds: [],
  history: [],
  labels: {},
});

test.for([
  ['2025-01-02T03:04:05.678901234Z', undefined, '2025-01-02T03:04:05.678Z'],
  ['2025-01-02T05:04:05+02:00', undefined, '2025-01-02T03:04:05.000Z'],
  ['1970-01-01T00:00:00Z', undefined, '1970-01-01T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', undefined, undefined],
  ['yesterday', undefined, undefined],
  [undefined, undefined, undefined],
  ['2025-01-02T03:04:05Z', '0', '1970-01-01T00:00:00.000Z'],
  ['2025-01-02T03:04:05Z', '', '2025-01-02T03:04:05.000Z'],
] as const)('created %s, SOURCE_DATE_EPOCH %s: %s', ([created, epoch, expected]) => {
  const context = testContext({ env: epoch === undefined ? {} : { SOURCE_DATE_EPOCH: epoch } });
  expect(documentTime(config(created), context)?.toISOString()).toBe(expected);
});

test.for(['-1', '1.5', '1e3', ' 1', '9999999999999'])('SOURCE_DATE_EPOCH %j is refused', (epoch) => {
  const context = testContext({ env: { SOURCE_DATE_EPOCH: epoch } });
  expect(() => documentTime(config(), context)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
});
