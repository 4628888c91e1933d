import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSafeFolder, type SafeFolder, type StagedFile } from '../../src/referrers/safe-folder.ts';
import { safePath } from '../../src/referrers/safe-path.ts';
import { codeOf } from '../support/open-registry.ts';
import { temporaryFolder } from '../support/tools.ts';

function stage(folder: SafeFolder, path: string, body = 'new'): StagedFile {
  const staged = join(folder.staging, path.replaceAll('/', '-'));
  writeFileSync(staged, body);
  return { path: safePath(path), staged };
}

test('files get their places, and nothing else is left', async () => {
  const root = temporaryFolder();
  {
    await using folder = await openSafeFolder(root);
    await folder.place([stage(folder, 'a.txt'), stage(folder, 'sub/b.txt')], [safePath('empty')]);
  }
  expect(readdirSync(root, { recursive: true }).toSorted()).toEqual(['a.txt', 'empty', 'sub', 'sub/b.txt']);
});

test('a folder that became a link after it was checked is not written through', async () => {
  const [root, elsewhere] = [temporaryFolder(), temporaryFolder()];
  {
    await using folder = await openSafeFolder(root);
    await folder.check([safePath('sub/evil.txt')]);
    const file = stage(folder, 'sub/evil.txt');
    symlinkSync(elsewhere, join(root, 'sub'));
    expect(await codeOf(folder.place([file], []))).toBe('PATH_UNSAFE');
  }
  expect(readdirSync(elsewhere)).toEqual([]);
  expect(readdirSync(root)).toEqual(['sub']);
});

test('when one file cannot be placed, those before it are taken back and what they replaced is put back', async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, 'old.txt'), 'old');
  {
    await using folder = await openSafeFolder(root);
    const files = [stage(folder, 'old.txt'), stage(folder, 'made/new.txt'), stage(folder, 'there')];
    await folder.check(files.map(({ path }) => path));
    mkdirSync(join(root, 'there'));
    expect(await codeOf(folder.place(files, []))).toBe('PATH_UNSAFE');
  }
  expect(readFileSync(join(root, 'old.txt'), 'utf8')).toBe('old');
  expect(readdirSync(root).toSorted()).toEqual(['old.txt', 'there']);
});

test('a folder that cannot be made is an error about the folder', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  expect(await codeOf(openSafeFolder(join(file, 'sub')))).toBe('FILE_UNWRITABLE');
});
