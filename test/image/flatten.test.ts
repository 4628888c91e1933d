import { describe, expect, test } from 'vitest';
import type { FileTree, LayerListing, TarEntry } from '../../src/image/file-tree.ts';
import { flatten } from '../../src/image/flatten.ts';

/** `d/` a directory, `a -> b` a symlink, `a => b` a hard link, anything else a file. */
function entry(text: string): TarEntry {
  const [, path = '', arrow, linkTarget = ''] = /^(.*?)(?: (->|=>) (.*))?$/.exec(text) ?? [];
  if (arrow !== undefined)
    return { path, type: arrow === '->' ? 'symlink' : 'hardlink', size: 0, mode: 0o777, linkTarget };
  if (path.endsWith('/')) return { path: path.slice(0, -1), type: 'directory', size: 0, mode: 0o700 };
  return { path, type: 'file', size: 1, mode: 0o644 };
}

function stack(...layers: readonly (readonly string[])[]): FileTree {
  return flatten(layers.map((entries, layerIndex): LayerListing => ({ layerIndex, entries: entries.map(entry) })));
}

/** Visible paths with what they are: `d/`, `a -> b`, `file@layer:path`. */
function show(tree: FileTree): readonly string[] {
  return [...tree.entries()].map(({ path, type, linkTarget, content }) => {
    if (type === 'directory') return `${path}/`;
    if (type === 'symlink') return `${path} -> ${linkTarget}`;
    return content === undefined
      ? `${path} (${type})`
      : `${path}@${content.layerIndex}${content.path === path ? '' : `:${content.path}`}`;
  });
}

const visible = (...layers: readonly (readonly string[])[]): readonly string[] => show(stack(...layers));

describe('files and directories', () => {
  test('the last layer with a name brings it', () => {
    expect(visible(['d/', 'd/a', 'd/b'], ['d/b'])).toEqual(['d/', 'd/a@0', 'd/b@1']);
  });
  test('a directory over a directory merges, and the upper attributes count', () => {
    const tree = flatten([
      { layerIndex: 0, entries: [entry('d/'), entry('d/a')] },
      { layerIndex: 1, entries: [{ path: 'd', type: 'directory', size: 0, mode: 0o111 }] },
    ]);
    expect(show(tree)).toEqual(['d/', 'd/a@0']);
    expect(tree.lookup('d')).toMatchObject({ mode: 0o111, layerIndex: 1 });
  });
  test('a file in place of a directory removes what was below it', () => {
    expect(visible(['d/', 'd/a', 'd/e/', 'd/e/f'], ['d'])).toEqual(['d@1']);
    expect(visible(['d/', 'd/a'], ['d'], ['d/'])).toEqual(['d/']);
  });
  test('a directory replaces a file or a symlink', () => {
    expect(visible(['a', 'real/', 'real/x', 'l -> real'], ['a/', 'a/b', 'l/', 'l/y'])).toEqual([
      'a/',
      'a/b@1',
      'l/',
      'l/y@1',
      'real/',
      'real/x@0',
    ]);
  });
  test('parent directories that no layer lists are there', () => {
    expect(visible(['a/b/c'])).toEqual(['a/', 'a/b/', 'a/b/c@0']);
  });
  test('a file where a directory must be gives way to it', () => {
    expect(visible(['a'], ['a/b'])).toEqual(['a/', 'a/b@1']);
  });
  test('of two entries with one name in a layer the last counts', () => {
    expect(visible(['a -> x', 'a'])).toEqual(['a@0']);
  });
  test('entries come in code-unit order of path', () => {
    const paths = ['a/x', 'a-b', 'a0', 'a', 'Z', 'a/', 'a.b/c', 'é', 'a!'].filter((path) => path !== 'a');
    const found = visible(paths).map((line) => line.replace(/@0$|\/$/, ''));
    expect(found).toEqual(
      [...new Set([...paths.map((path) => path.replace(/\/$/, '')), 'a', 'a.b'])].toSorted((x, y) => (x < y ? -1 : 1)),
    );
  });
  test('names that JavaScript knows are names', () => {
    expect(visible(['__proto__/constructor'], ['.wh.toString'])).toEqual(['__proto__/', '__proto__/constructor@0']);
  });
});

describe('whiteouts', () => {
  test('hide a file, or a directory with all below it', () => {
    expect(visible(['a', 'd/', 'd/x', 'd/e/', 'd/e/y'], ['.wh.a', '.wh.d'])).toEqual([]);
    expect(visible(['a', 'd/', 'd/x'], ['d/.wh.x'])).toEqual(['a@0', 'd/']);
  });
  test('of names that are not there change nothing', () => {
    expect(visible(['a'], ['.wh.b', 'x/.wh.y'])).toEqual(['a@0']);
  });
  test('do not hide what their own layer brings, before or behind them', () => {
    expect(visible(['a'], ['.wh.a', 'a'])).toEqual(['a@1']);
    expect(visible(['a'], ['a', '.wh.a'])).toEqual(['a@1']);
    expect(visible(['d/', 'd/old'], ['d/', 'd/new', '.wh.d'])).toEqual(['d/', 'd/new@1']);
    expect(visible(['d/', 'd/old'], ['.wh.d', 'd/', 'd/new'])).toEqual(['d/', 'd/new@1']);
    expect(visible(['d/', 'd/old'], ['d/new', '.wh.d'])).toEqual(['d/', 'd/new@1']);
  });
  test('a layer later brings a name back', () => {
    expect(visible(['d/', 'd/x'], ['.wh.d'], ['d/', 'd/y'])).toEqual(['d/', 'd/y@2']);
  });
  test.each([
    [['d/.wh..wh..opq', 'd/new']],
    [['d/new', 'd/.wh..wh..opq']],
    [['d/', 'd/new', 'd/.wh..wh..opq', 'd/newer']],
  ])('an opaque one hides lower layers only, wherever it stands: %j', (upper) => {
    const found = visible(['d/', 'd/old', 'd/sub/', 'd/sub/x', 'other'], upper);
    expect(found.filter((line) => !line.includes('new'))).toEqual(['d/', 'other@0']);
    expect(found).toContain('d/new@1');
  });
  test('an opaque one keeps the way to what its layer brought deeper down', () => {
    expect(visible(['d/', 'd/s/', 'd/s/old', 'd/t/', 'd/t/old'], ['d/s/new', 'd/.wh..wh..opq'])).toEqual([
      'd/',
      'd/s/',
      'd/s/new@1',
    ]);
  });
  test('an opaque root hides everything below', () => {
    expect(visible(['a', 'd/', 'd/x'], ['.wh..wh..opq', 'b'])).toEqual(['b@1']);
  });
  test('work through a symlinked directory, but not where the layer replaced it', () => {
    expect(visible(['real/', 'real/x', 'l -> real'], ['l/.wh.x'])).toEqual(['l -> real', 'real/']);
    expect(visible(['real/', 'real/x', 'l -> real'], ['l/', 'l/.wh.x'])).toEqual(['l/', 'real/', 'real/x@0']);
  });
  test.each(['.wh.', '.wh..', '.wh...', 'd/.wh...'])('%s is refused', (path) => {
    expect(() => stack(['d/'], [path])).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  });
  test('what AUFS keeps beside the tree is not in it, and hard links into it work', () => {
    expect(visible(['.wh..wh.plnk/', '.wh..wh.plnk/12.3', 'a => .wh..wh.plnk/12.3'])).toEqual([
      'a@0:.wh..wh.plnk/12.3',
    ]);
  });
  test('many in one place are not slow', () => {
    const names = Array.from({ length: 20_000 }, (_, at) => `d/${at}`);
    const tree = stack(['d/'], [...names, ...names.map(() => 'd/.wh..wh..opq')]);
    expect([...tree.entries()].length).toBe(20_001);
  });
});

describe('links', () => {
  test('a hard link has the content of its target, also of one in a lower layer, and through another', () => {
    const tree = stack(['a'], ['b => a', 'c => b']);
    expect(show(tree)).toEqual(['a@0', 'b@0:a', 'c@0:a']);
    expect(tree.lookup('c')).toMatchObject({ type: 'file', size: 1, layerIndex: 1 });
  });
  test('a hard link keeps its content when the target goes or changes', () => {
    expect(visible(['a', 'b => a'], ['.wh.a'])).toEqual(['b@0:a']);
    expect(visible(['a', 'b => a'], ['a'])).toEqual(['a@1', 'b@0:a']);
  });
  test('a hard link to a symlink is that symlink', () => {
    expect(visible(['a', 'l -> a', 'h => l'])).toEqual(['a@0', 'h -> a', 'l -> a']);
  });
  test('a hard link to nothing, to a directory or forward has no content', () => {
    expect(visible(['d/', 'x => gone', 'y => d', 'z => later', 'later'])).toEqual([
      'd/',
      'later@0',
      'x (other)',
      'y (other)',
      'z (other)',
    ]);
  });
  test('a hard link to itself changes nothing', () => {
    expect(visible(['a', 'a => a'])).toEqual(['a@0']);
  });
  test('what is written through a symlinked directory lands where that leads', () => {
    expect(visible(['usr/', 'usr/lib/', 'lib -> usr/lib'], ['lib/x'])).toEqual([
      'lib -> usr/lib',
      'usr/',
      'usr/lib/',
      'usr/lib/x@1:lib/x',
    ]);
    expect(visible(['l -> /new/place', 'l/x'])).toEqual(['l -> /new/place', 'new/', 'new/place/', 'new/place/x@0:l/x']);
    expect(visible(['a/', 'a/l -> ../../../b', 'a/l/x'])).toEqual(['a/', 'a/l -> ../../../b', 'b/', 'b/x@0:a/l/x']);
  });
  test('writing through a loop of symlinks is refused', () => {
    expect(() => stack(['a -> b', 'b -> a', 'a/x'])).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  });
});

describe('looking up', () => {
  const tree = stack([
    'usr/lib/os-release',
    'etc/',
    'etc/os-release -> ../usr/lib/os-release',
    'abs -> /etc/os-release',
    'lib -> usr/lib',
    'loop -> loop',
    'gone -> nowhere',
    'far -> ../../../../etc',
    'up/',
    'up/d -> ..',
  ]);
  test('follows symlinked parents, and the last part only when resolving', () => {
    expect(tree.lookup('lib/os-release')?.path).toBe('usr/lib/os-release');
    expect(tree.lookup('etc/os-release')?.type).toBe('symlink');
    expect(tree.resolve('etc/os-release')?.path).toBe('usr/lib/os-release');
    expect(tree.resolve('abs')?.path).toBe('usr/lib/os-release');
    expect(tree.resolve('/far/os-release')?.path).toBe('usr/lib/os-release');
    expect(tree.resolve('up/d/up/d/abs')?.path).toBe('usr/lib/os-release');
  });
  test('finds nothing where a link dangles, loops, or a file is taken for a directory', () => {
    expect(tree.resolve('gone')).toBeUndefined();
    expect(tree.lookup('gone')?.type).toBe('symlink');
    expect(tree.resolve('loop')).toBeUndefined();
    expect(tree.resolve('usr/lib/os-release/x')).toBeUndefined();
    expect(tree.lookup('none/x')).toBeUndefined();
  });
  test('does not hang on chains that grow', () => {
    const links = Array.from({ length: 100 }, (_, at) => `l${at} -> l${at + 1}/l${at + 1}`);
    expect(stack(links).resolve('l0')).toBeUndefined();
  });
});
