import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileProvider } from '../../../src/sign/ambient/file.ts';
import { testContext } from '../../support/context.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'boltseal-test-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('gives the token in the file', async () => {
  const path = join(directory, 'token');
  await writeFile(path, ' token\n');
  expect(await fileProvider(path).isPresent(testContext())).toBe(true);
  expect(await fileProvider(path).fetch('sigstore', testContext())).toBe('token');
});

test('is not present without the file', async () => {
  expect(await fileProvider(join(directory, 'absent')).isPresent(testContext())).toBe(false);
});

test('is present, and refused, when what is there is not a readable file', async () => {
  expect(await fileProvider(directory).isPresent(testContext())).toBe(true);
  await expect(fileProvider(directory).fetch('sigstore', testContext())).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining('EISDIR'),
  });
});

test('refuses a file that is empty or too large', async () => {
  const path = join(directory, 'other');
  await writeFile(path, ' \n');
  await expect(fileProvider(path).fetch('sigstore', testContext())).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  await writeFile(path, 'a'.repeat(2 ** 20 + 1));
  await expect(fileProvider(path).fetch('sigstore', testContext())).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
});
