import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { isBoltsealError } from '../../src/base/errors.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import { attachArtifact } from '../../src/referrers/attach.ts';
import type { ArtifactLayer } from '../../src/referrers/artifact.ts';
import { pullArtifact, type PulledArtifact, type PullOptions } from '../../src/referrers/pull.ts';
import { UNPACK_ANNOTATION, UNPACKED_DIGEST_ANNOTATION } from '../../src/referrers/unpack-folder.ts';
import type { WritableSource } from '../../src/source/source.ts';
import { testContext } from '../support/context.ts';
import { codeOf, openAt, pushImage } from '../support/open-registry.ts';
import { startRegistry } from '../support/registry-server.ts';
import { writeTar, type TarItem } from '../support/tar-writer.ts';
import { temporaryFolder } from '../support/tools.ts';

const context = testContext();
const TITLE = 'org.opencontainers.image.title';
const TYPE = 'application/vnd.example.report';

interface Attached {
  readonly source: WritableSource;
  readonly image: Descriptor;
  readonly digest: Digest;
}

async function attach(host: string, layers: readonly ArtifactLayer[]): Promise<Attached> {
  const source = openAt(host);
  const image = await pushImage(source);
  const { digest } = await attachArtifact(source, image, { artifactType: TYPE, layers, annotations: {} }, context);
  return { source, image, digest };
}

function file(title: string, body = title): ArtifactLayer {
  return { mediaType: 'text/plain', bytes: Buffer.from(body), annotations: { [TITLE]: title } };
}

function folderLayer(
  title: string,
  items: readonly TarItem[],
  annotations: Record<string, string> = {},
): ArtifactLayer {
  return {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    bytes: gzipSync(writeTar(items)),
    annotations: { [TITLE]: title, [UNPACK_ANNOTATION]: 'true', ...annotations },
  };
}

async function pull(attached: Attached, folder: string, options: Partial<PullOptions> = {}): Promise<PulledArtifact> {
  const wanted = { kind: 'digest', digest: attached.digest } as const;
  return pullArtifact(attached.source, wanted, { folder, ...options }, context);
}

async function pullLayers(layers: readonly ArtifactLayer[], folder: string): Promise<PulledArtifact> {
  await using registry = await startRegistry();
  return await pull(await attach(registry.host, layers), folder);
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (isBoltsealError(error) ? `${error.code} ${error.message}` : String(error)),
  );
}

describe('an artifact is pulled', () => {
  test('by digest, with its files under their titles', async () => {
    const folder = join(temporaryFolder(), 'new/out');
    const pulled = await pullLayers([file('report.txt'), file('sub/deep/data.txt', 'deep')], folder);
    expect(pulled.files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['report.txt', 10],
      ['sub/deep/data.txt', 4],
    ]);
    expect(readFileSync(join(folder, 'sub/deep/data.txt'), 'utf8')).toBe('deep');
    expect(readdirSync(folder).toSorted()).toEqual(['report.txt', 'sub']);
  });

  test('by type, and of several only when it is said which', async () => {
    await using registry = await startRegistry();
    const attached = await attach(registry.host, [file('a.txt')]);
    const { source, image } = attached;
    const wanted = { kind: 'referrer', subject: image.digest, artifactType: TYPE } as const;
    expect((await pullArtifact(source, wanted, { folder: temporaryFolder() }, context)).digest).toBe(attached.digest);
    const later = testContext({ now: () => new Date('2027-01-01T00:00:00Z') });
    const artifact = { artifactType: TYPE, layers: [file('b.txt')], annotations: {} };
    const second = await attachArtifact(source, image, artifact, later);
    expect(await codeOf(pullArtifact(source, wanted, { folder: temporaryFolder() }, context))).toBe('USAGE');
    const latest = await pullArtifact(source, { ...wanted, latest: true }, { folder: temporaryFolder() }, context);
    expect(latest.digest).toBe(second.digest);
    const none = { ...wanted, artifactType: 'application/other' };
    expect(await codeOf(pullArtifact(source, none, { folder: temporaryFolder() }, context))).toBe('NOT_FOUND');
  });

  test('a layer without a title is named by its digest', async () => {
    const folder = temporaryFolder();
    const bytes = Buffer.from('{"a":1}');
    const pulled = await pullLayers([{ mediaType: 'application/spdx+json', bytes }], folder);
    expect(pulled.files.map(({ path }) => path)).toEqual([`${digestOf(bytes).slice(7)}.json`]);
  });

  test('over a file that is there, and through the name of a link without following it', async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(folder, 'old.txt'), 'old');
    writeFileSync(join(elsewhere, 'precious'), 'precious');
    symlinkSync(join(elsewhere, 'precious'), join(folder, 'link.txt'));
    await pullLayers([file('old.txt', 'new'), file('link.txt', 'new')], folder);
    expect(readFileSync(join(folder, 'old.txt'), 'utf8')).toBe('new');
    expect(lstatSync(join(folder, 'link.txt')).isSymbolicLink()).toBe(false);
    expect(readFileSync(join(elsewhere, 'precious'), 'utf8')).toBe('precious');
  });
});

describe('nothing is written for', () => {
  const ATTACKS: readonly (readonly [string, readonly string[]])[] = [
    ['an absolute name', ['/etc/passwd']],
    ['a name that leads upwards', ['../out.txt']],
    ['a name that leads upwards in the middle', ['a/../../out.txt']],
    ['a drive letter', ['C:\\out.txt']],
    ['a drive letter without a slash', ['c:out.txt']],
    ['a backslash', ['..\\out.txt']],
    ['a network path', ['\\\\host\\share']],
    ['a NUL', ['out.txt\u0000.png']],
    ['a line break', ['a\nb']],
    ['an empty name', ['']],
    ['the folder itself', ['.']],
    ['a device', ['sub/NUL.txt']],
    ['a name that ends with a dot', ['a.']],
    ['a name that is too long', ['x'.repeat(256)]],
    ['the same name twice', ['a.txt', 'b.txt', 'a.txt']],
    ['the same name written in two ways', ['a.txt', './a.txt']],
    ['names that differ in case', ['Read.me', 'read.ME']],
    ['names that differ in how letters are composed', ['\u00e9.txt', 'e\u0301.txt']],
    ['a file where another needs a folder', ['a', 'a/b']],
  ];

  test.each(ATTACKS)('%s', async (_, titles) => {
    const parent = temporaryFolder();
    const folder = join(parent, 'out');
    const message = await messageOf(
      pullLayers(
        titles.map((title, at) => file(title, `body ${at}`)),
        folder,
      ),
    );
    expect(message).toMatch(/^PATH_UNSAFE /);
    expect(readdirSync(parent, { recursive: true })).toEqual([]);
  });

  test('a name that leads through a link that is there already', async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    symlinkSync(elsewhere, join(folder, 'sub'));
    expect(await messageOf(pullLayers([file('good.txt'), file('sub/evil.txt')], folder))).toMatch(
      /^PATH_UNSAFE .*leads through the symbolic link/,
    );
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['sub']);
  });

  test('a name that is a folder already', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'there'));
    expect(await messageOf(pullLayers([file('good.txt'), file('there')], folder))).toMatch(/^PATH_UNSAFE /);
    expect(readdirSync(folder)).toEqual(['there']);
  });

  test('an artifact of which one file is damaged', async () => {
    const folder = temporaryFolder();
    await using registry = await startRegistry();
    const attached = await attach(registry.host, [file('good.txt'), file('bad.txt')]);
    registry.blobs.set(digestOf('bad.txt'), Buffer.from('evil.tx'));
    expect(await codeOf(pull(attached, folder))).toBe('DIGEST_MISMATCH');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an artifact that refers to another image than the list says', async () => {
    await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
    const attached = await attach(registry.host, [file('a.txt')]);
    const other = await pushImage(attached.source, 'other');
    const { putFallback } = await import('../support/registry-server.ts');
    const { bytes } = await attached.source.readManifest(attached.digest);
    const entry = {
      mediaType: attached.image.mediaType,
      digest: attached.digest,
      size: bytes.length,
      artifactType: TYPE,
    };
    putFallback(registry, other.digest, [entry]);
    const wanted = { kind: 'referrer', subject: other.digest, artifactType: TYPE } as const;
    expect(await codeOf(pullArtifact(attached.source, wanted, { folder: temporaryFolder() }, context))).toBe(
      'NOT_FOUND',
    );
  });
});

test('the folder itself may be a link, since its owner named it', async () => {
  const real = temporaryFolder();
  const link = join(temporaryFolder(), 'link');
  symlinkSync(real, link);
  expect((await pullLayers([file('a.txt')], link)).folder).toBe(real);
  expect(readdirSync(real)).toEqual(['a.txt']);
});

describe('a packed folder', () => {
  const ITEMS: readonly TarItem[] = [
    { path: 'docs/', type: 'directory' },
    { path: 'docs/run.sh', body: '#!/bin/sh', mode: 0o755 },
    { path: 'docs/sub/note.txt', body: 'note' },
  ];

  test('is unpacked under its title', async () => {
    const folder = temporaryFolder();
    const digest = digestOf(writeTar(ITEMS));
    const pulled = await pullLayers([folderLayer('docs', ITEMS, { [UNPACKED_DIGEST_ANNOTATION]: digest })], folder);
    expect(pulled.files.map(({ path }) => path)).toEqual(['docs/run.sh', 'docs/sub/note.txt']);
    expect(readFileSync(join(folder, 'docs/sub/note.txt'), 'utf8')).toBe('note');
    expect(statSync(join(folder, 'docs/run.sh')).mode & 0o777).toBe(0o755);
  });

  test('can be kept as an archive', async () => {
    await using registry = await startRegistry();
    const folder = temporaryFolder();
    await pull(await attach(registry.host, [folderLayer('docs', ITEMS)]), folder, { unpack: false });
    expect(readdirSync(folder)).toEqual(['docs.tar.gz']);
  });

  const REFUSED: readonly (readonly [string, readonly TarItem[], string])[] = [
    ['an entry outside the folder', [{ path: 'other/x', body: 'x' }], 'PATH_UNSAFE'],
    ['an entry beside it with a name that begins alike', [{ path: 'docs2/x', body: 'x' }], 'PATH_UNSAFE'],
    ['a symbolic link', [{ path: 'docs/l', type: 'symlink', linkTarget: '/etc' }], 'PATH_UNSAFE'],
    ['a hard link', [{ path: 'docs/l', type: 'hardlink', linkTarget: '/etc/passwd' }], 'PATH_UNSAFE'],
    [
      'names that differ in case',
      [
        { path: 'docs/a', body: 'x' },
        { path: 'docs/A', body: 'y' },
      ],
      'PATH_UNSAFE',
    ],
  ];

  test.each(REFUSED)('with %s is refused whole', async (_, bad, code) => {
    const folder = temporaryFolder();
    expect(await codeOf(pullLayers([file('good.txt'), folderLayer('docs', [...ITEMS, ...bad])], folder))).toBe(code);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that is not what its annotation says, or breaks off, is refused', async () => {
    const folder = temporaryFolder();
    const wrong = folderLayer('docs', ITEMS, { [UNPACKED_DIGEST_ANNOTATION]: digestOf('other') });
    expect(await codeOf(pullLayers([wrong], folder))).toBe('DIGEST_MISMATCH');
    const whole = folderLayer('docs', ITEMS);
    const cut = { ...whole, bytes: whole.bytes.subarray(0, -20) };
    expect(await codeOf(pullLayers([cut], folder))).toBe('LAYER_INVALID');
    expect(existsSync(join(folder, 'docs'))).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});
