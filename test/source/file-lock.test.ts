import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withFileLock } from '../../src/source/file-lock.ts';
import { testContext } from '../support/context.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'boltseal-lock-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

test('one holder at a time, and the next when it is done or has failed', async () => {
  const path = join(root, 'a.lock');
  let holders = 0;
  const work = async (at: number): Promise<number> => {
    holders += 1;
    expect(holders).toBe(1);
    await sleep(10);
    holders -= 1;
    if (at === 1) throw new Error('failed');
    return at;
  };
  const results = await Promise.allSettled([0, 1, 2, 3].map((at) => withFileLock(path, () => work(at), testContext())));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(existsSync(path)).toBe(false);
});

test('a lock whose holder shows no life is taken over', { timeout: 60_000 }, async () => {
  const path = join(root, 'b.lock');
  writeFileSync(path, 'somebody who crashed');
  await expect(withFileLock(path, () => Promise.resolve('mine'), testContext())).resolves.toBe('mine');
  expect(existsSync(path)).toBe(false);
});

test('waiting stops when the run is interrupted, and leaves the lock to its holder', async () => {
  const path = join(root, 'c.lock');
  writeFileSync(path, 'somebody');
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 30);
  const context = testContext({ signal: controller.signal });
  await expect(withFileLock(path, () => Promise.resolve(), context)).rejects.toThrow('abort');
  expect(existsSync(path)).toBe(true);
});
