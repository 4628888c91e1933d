import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TarEntry } from '../../src/tar/entry.ts';
import { TarReader } from '../../src/tar/reader.ts';

const version = spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const isGnuTar = version.includes('GNU tar');

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'boltseal-tar-'));
  const at = (name: string): string => join(root, 'tree', name);
  const deep = `${'a-rather-long-name/'.repeat(8)}end`;
  mkdirSync(at(deep), { recursive: true });
  writeFileSync(at('plain'), 'plain');
  writeFileSync(at('empty'), '');
  writeFileSync(at(`${deep}/file`), 'x'.repeat(5000));
  writeFileSync(at('n'.repeat(180)), 'long');
  writeFileSync(at('ümläut 文字'), 'u');
  symlinkSync('plain', at('short-link'));
  symlinkSync(`${deep}/file`, at('long-link'));
  linkSync(at('plain'), at('z-hard-link'));
  const sparse = openSync(at('sparse'), 'w');
  for (let block = 0; block < 60; block += 1)
    writeSync(sparse, Buffer.from(`block ${block}`), 0, null, block * 131_072);
  closeSync(sparse);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

interface Read {
  readonly entry: TarEntry;
  readonly hash: string;
}

function readTar(path: string): readonly Read[] {
  const found: { entry: TarEntry; hash: string }[] = [];
  const reader = new TarReader((entry) => {
    const record = { entry, hash: '' };
    found.push(record);
    const hash = createHash('sha256');
    return { write: (chunk) => Boolean(hash.update(chunk)), end: () => void (record.hash = hash.digest('hex')) };
  });
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 7777) reader.write(bytes.subarray(at, at + 7777));
  reader.end();
  return found;
}

const KINDS: Readonly<Record<string, TarEntry['type']>> = { '-': 'file', d: 'directory', l: 'symlink', h: 'hardlink' };

/** `tar -tv`, as the same facts. */
function listWithTar(path: string): readonly string[] {
  const args = ['--quoting-style=literal', '--show-stored-names', '-tvf', path];
  const lines = execFileSync('tar', args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } })
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [, kind = '', size = '', rest = ''] = /^(.)\S+ \S+ +(\d+) \S+ \S+ (.*)$/.exec(line) ?? [];
    const [name = '', target = ''] = rest.split(/ -> | link to /);
    return [
      KINDS[kind],
      kind === '-' ? size : '0',
      name.replace(/^\.\/|\/$/g, '').replace(/\/$/, ''),
      target.replace(kind === 'h' ? /^\.\// : /^$/, ''),
    ].join(' | ');
  });
}

function listed({ entry }: Read): string {
  return [entry.type, entry.size, entry.path === '' ? '.' : entry.path, entry.linkTarget ?? ''].join(' | ');
}

describe.skipIf(!isGnuTar)('archives of GNU tar (needs GNU tar)', () => {
  test.each([
    ['gnu', []],
    ['oldgnu', []],
    ['pax', []],
    ['ustar', []],
    ['gnu', ['--sparse']],
    ['pax', ['--sparse', '--sparse-version=0.0']],
    ['pax', ['--sparse', '--sparse-version=0.1']],
    ['pax', ['--sparse', '--sparse-version=1.0']],
    ['v7', ['--exclude=a-rather*', '--exclude=nnn*', '--exclude=long-link']],
  ])('in format %s %j list and read as tar itself does', (format, options) => {
    const path = join(root, `${format}.tar`);
    // A long name does not fit ustar, which tar says and goes on.
    spawnSync('tar', [`--format=${format}`, '--sort=name', ...options, '-cf', path, '-C', join(root, 'tree'), '.'], {
      stdio: 'ignore',
    });
    const found = readTar(path);
    expect(found.map(listed)).toEqual(
      listWithTar(path).map((line) => line.replace('directory | 0 |  |', 'directory | 0 | . |')),
    );
    for (const { entry, hash } of found.filter((read) => read.entry.type === 'file')) {
      const expected = createHash('sha256')
        .update(readFileSync(join(root, 'tree', entry.path)))
        .digest('hex');
      expect(`${entry.path} ${hash}`).toBe(`${entry.path} ${expected}`);
    }
    expect(found.length).toBeGreaterThan(6);
  });
});
