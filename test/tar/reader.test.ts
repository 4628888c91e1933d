import { describe, expect, test } from 'vitest';
import type { TarEntry } from '../../src/tar/entry.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { padded, paxHeader, tarHeader, tarItem, withChecksum, writeTar, type TarItem } from '../support/tar-writer.ts';

interface Read {
  readonly entries: readonly TarEntry[];
  readonly bodies: ReadonlyMap<string, string>;
}

function read(tar: Buffer, chunkBytes = tar.length): Read {
  const entries: TarEntry[] = [];
  const bodies = new Map<string, string>();
  const reader = new TarReader((entry) => {
    entries.push(entry);
    const chunks: Buffer[] = [];
    return {
      write: (chunk) => chunks.push(Buffer.from(chunk)) > 0,
      end: (complete) => bodies.set(entry.path, Buffer.concat(chunks).toString('latin1') + (complete ? '' : ' (cut)')),
    };
  });
  for (let at = 0; at < tar.length; at += chunkBytes) reader.write(tar.subarray(at, at + chunkBytes));
  reader.end();
  return { entries, bodies };
}

const paths = (tar: Buffer): readonly string[] => read(tar).entries.map(({ path }) => path);
const LONG = `${'very-long/'.repeat(30)}name`;

describe('entries', () => {
  test('every type is told apart, and only files have a size', () => {
    const tar = writeTar([
      { path: 'dir/', type: 'directory' },
      { path: 'dir/file', body: 'hello', mode: 0o4755 },
      { path: 'dir/link', type: 'symlink', linkTarget: '../else/./where' },
      { path: 'dir/hard', type: 'hardlink', linkTarget: './dir/file' },
      { path: 'dir/pipe', type: 'fifo' },
    ]);
    expect(read(tar).entries).toEqual([
      { path: 'dir', type: 'directory', size: 0, mode: 0o755 },
      { path: 'dir/file', type: 'file', size: 5, mode: 0o4755 },
      { path: 'dir/link', type: 'symlink', size: 0, mode: 0o644, linkTarget: '../else/./where' },
      { path: 'dir/hard', type: 'hardlink', size: 0, mode: 0o644, linkTarget: 'dir/file' },
      { path: 'dir/pipe', type: 'other', size: 0, mode: 0o644 },
    ]);
  });

  test.each([1, 7, 511, 512, 513, 4096])('chunks of %i bytes read the same as one', (chunkBytes) => {
    const items: TarItem[] = [
      { path: 'a', body: 'x'.repeat(1000) },
      { path: LONG, body: 'gnu', extension: 'gnu' },
      { path: `${LONG}2`, body: 'pax', extension: 'pax' },
      { path: 'empty', body: '' },
    ];
    const tar = writeTar(items);
    expect(read(tar, chunkBytes)).toEqual(read(tar));
    expect(read(tar).bodies.get('a')).toBe('x'.repeat(1000));
    expect(read(tar).bodies.get('empty')).toBe('');
  });

  test.each([
    ['/etc/passwd', 'etc/passwd'],
    ['./etc//passwd', 'etc/passwd'],
    ['etc/../../../root', 'root'],
    ['a/./b/', 'a/b'],
    ['./', ''],
    ['..data', '..data'],
    ['a/...', 'a/...'],
  ])('the name %s is normalised', (written, expected) => {
    expect(paths(writeTar([{ path: written }]))).toEqual([expected]);
  });

  test('names that are not UTF-8 stay apart from each other and from those that are', () => {
    const names = [Buffer.from([0x61, 0xff]), Buffer.from([0x61, 0xfe]), Buffer.from('a\uFFFD'), Buffer.from('ä')];
    expect(paths(writeTar(names.map((path) => ({ path }))))).toEqual(['a\uDCFF', 'a\uDCFE', 'a\uFFFD', 'ä']);
  });

  test('a sink that has seen enough gets no more, and the entry after it is right', () => {
    const ends: boolean[] = [];
    const seen: number[] = [];
    const reader = new TarReader(({ path }) => ({
      write: (chunk) => seen.push(chunk.length) < 0 || path !== 'big',
      end: (complete) => ends.push(complete),
    }));
    const tar = writeTar([
      { path: 'big', body: 'x'.repeat(2000) },
      { path: 'small', body: 'y' },
    ]);
    for (let at = 0; at < tar.length; at += 600) reader.write(tar.subarray(at, at + 600));
    reader.end();
    expect({ ends, seen }).toEqual({ ends: [false, true], seen: [88, 1] });
  });
});

describe('extensions', () => {
  test('GNU and pax names go before the header, and GNU before pax', () => {
    expect(paths(writeTar([{ path: LONG, extension: 'gnu' }]))).toEqual([LONG]);
    expect(paths(writeTar([{ path: LONG, extension: 'pax' }]))).toEqual([LONG]);
    expect(paths(writeTar([{ path: 'gnu', extension: 'gnu', pax: { path: 'pax' } }]))).toEqual(['gnu']);
  });

  test('the ustar prefix counts in a ustar header and not in a GNU one', () => {
    const ustar = tarHeader({ name: Buffer.from('name'), typeFlag: '0', size: 0 });
    ustar.write('prefix', 345);
    const gnu = tarHeader({ name: Buffer.from('name'), typeFlag: '0', size: 0, isGnu: true });
    gnu.write('0000', 345);
    expect(paths(Buffer.concat([withChecksum(ustar), withChecksum(gnu)]))).toEqual(['prefix/name', 'name']);
  });

  test('sizes come from pax records and in base 256', () => {
    const base256 = tarHeader({ name: Buffer.from('big'), typeFlag: '0', size: 0 });
    base256.fill(0, 124, 136);
    base256.writeUInt8(0x80, 124);
    base256.writeUInt8(3, 135);
    const tar = Buffer.concat([
      withChecksum(base256),
      padded(Buffer.from('abc')),
      writeTar([{ path: 'p', body: 'xy', headerSize: 0, pax: { size: '2' } }]),
    ]);
    expect(read(tar).bodies).toEqual(
      new Map([
        ['big', 'abc'],
        ['p', 'xy'],
      ]),
    );
  });

  test('a size on a link or directory is no body, and one on an unknown type is', () => {
    const links: TarItem[] = [
      { path: 'l', type: 'symlink', linkTarget: 'x', headerSize: 512 },
      { path: 'h', type: 'hardlink', linkTarget: 'x', headerSize: 512 },
      { path: 'd', type: 'directory', headerSize: 512 },
    ];
    expect(paths(writeTar([...links, { path: 'next' }]))).toEqual(['l', 'h', 'd', 'next']);
    expect(paths(writeTar([{ path: 'odd', typeFlag: 'Z', body: 'body' }, { path: 'next' }]))).toEqual(['odd', 'next']);
  });

  test('a negative base-256 size is refused', () => {
    const block = tarHeader({ name: Buffer.from('x'), typeFlag: '0', size: 0 });
    block.fill(0xff, 124, 136);
    expect(() => read(withChecksum(block))).toThrow('size is not a number');
  });

  test('a global header may comment, but not rename everything after it', () => {
    expect(paths(Buffer.concat([...paxHeader({ comment: 'x' }, 'g'), writeTar([{ path: 'a' }])]))).toEqual(['a']);
    expect(() => read(Buffer.concat([...paxHeader({ path: 'b' }, 'g'), writeTar([{ path: 'a' }])]))).toThrow('global');
  });

  test.each([
    ['a length that is too long', '99 path=x\n'],
    ['a length that is no number', 'xx path=x\n'],
    ['no line end', '9 path=xy'],
    ['a NUL in a name', '11 path=x\0y\n'],
  ])('a pax header with %s is refused', (_, body) => {
    const header = tarHeader({ name: Buffer.from('p'), typeFlag: 'x', size: body.length });
    expect(() => read(Buffer.concat([header, padded(Buffer.from(body)), writeTar([{ path: 'a' }])]))).toThrow(
      'extended header',
    );
  });

  test('an extended header beyond the limit is refused before it is read', () => {
    const header = tarHeader({ name: Buffer.from('p'), typeFlag: 'x', size: 2 ** 30 });
    expect(() => read(header)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });

  test('a name beyond the limit is refused', () => {
    expect(() => read(writeTar([{ path: 'x'.repeat(70_000), extension: 'pax' }]))).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });
});

describe('sparse files', () => {
  const expected = `ab${'\0'.repeat(8)}cd${'\0'.repeat(3)}`;

  test.each<[string, TarItem]>([
    [
      '0.1',
      {
        path: 'GNUSparseFile.0/s',
        body: 'abcd',
        pax: {
          'GNU.sparse.major': '0',
          'GNU.sparse.minor': '1',
          'GNU.sparse.name': 's',
          'GNU.sparse.size': '15',
          'GNU.sparse.map': '0,2,10,2',
        },
      },
    ],
    [
      '1.0',
      {
        path: 'GNUSparseFile.0/s',
        body: `${'2\n0\n2\n10\n2\n'.padEnd(512, '\0')}abcd`,
        pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': '15' },
      },
    ],
  ])('pax sparse %s has its real name and its holes', (_, item) => {
    const { entries, bodies } = read(writeTar([item, { path: 'after' }]));
    expect(entries.map(({ path, size }) => [path, size])).toEqual([
      ['s', 15],
      ['after', 0],
    ]);
    expect(bodies.get('s')).toBe(expected);
  });

  test('a map that does not add up is refused', () => {
    const pax = {
      'GNU.sparse.major': '0',
      'GNU.sparse.minor': '1',
      'GNU.sparse.size': '15',
      'GNU.sparse.map': '0,2,10,3',
    };
    expect(() => read(writeTar([{ path: 's', body: 'abcd', pax }]))).toThrow('sparse');
    expect(() => read(writeTar([{ path: 's', body: 'abcd', pax: { ...pax, 'GNU.sparse.map': '10,2,0,2' } }]))).toThrow(
      'sparse',
    );
  });
});

describe('the end', () => {
  const whole = writeTar([{ path: 'a', body: 'x'.repeat(600) }]);

  test('what follows the two zero blocks is not read', () => {
    expect(paths(Buffer.concat([whole, writeTar([{ path: 'hidden' }])]))).toEqual(['a']);
  });

  test('zero blocks may be missing between entries', () => {
    expect(paths(writeTar([{ path: 'a' }], { zeroBlocks: 0 }))).toEqual(['a']);
    expect(paths(writeTar([{ path: 'a' }], { zeroBlocks: 1 }))).toEqual(['a']);
  });

  test.each([100, 512, 600, 1535])('an end after %i bytes, within an entry, is refused', (bytes) => {
    expect(() => read(whole.subarray(0, bytes))).toThrow('middle of an entry');
  });

  test('an extended header without its entry is refused', () => {
    expect(() => read(Buffer.concat([...paxHeader({ path: 'x' })]))).toThrow('middle of an entry');
    expect(() => read(Buffer.concat([...paxHeader({ path: 'x' }), Buffer.alloc(1024)]))).toThrow('belongs to no entry');
  });

  test('an entry after a single zero block is refused', () => {
    expect(() => read(Buffer.concat([Buffer.alloc(512), ...tarItem({ path: 'a' })]))).toThrow('zero block');
  });

  test('a wrong checksum is refused', () => {
    const broken = Buffer.from(whole);
    broken.writeUInt8(0x62, 0);
    expect(() => read(broken)).toThrow('checksum');
    expect(() => read(Buffer.from('not a tar '.repeat(100)))).toThrow(/checksum/);
  });
});
