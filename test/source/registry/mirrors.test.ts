import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { openReferrers, openWritable } from '../../../src/actions/open-image.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { parseRegistryReference } from '../../../src/oci/reference.ts';
import { openMirrored } from '../../../src/source/registry/open-mirrored.ts';
import { parseRegistriesConf } from '../../../src/source/registry/parse-registries-conf.ts';
import { readRegistriesConf } from '../../../src/source/registry/registries-conf.ts';
import { matchRule } from '../../../src/source/registry/registry-rule.ts';
import type { RegistryOptions } from '../../../src/source/registry/registry.ts';
import type { WritableSource } from '../../../src/source/source.ts';
import { testContext, type TestContext } from '../../support/context.ts';
import { blobOf, codeOf, imageManifest, openAt, pushImage, SOME_DIGEST } from '../../support/open-registry.ts';
import { startRegistry, type TestRegistry } from '../../support/registry-server.ts';
import { temporaryFolder } from '../../support/tools.ts';

/** A context in which registries.conf says this. */
function configured(text: string): TestContext {
  const file = join(temporaryFolder(), 'registries.conf');
  writeFileSync(file, text);
  return testContext({ env: { CONTAINERS_REGISTRIES_CONF: file } });
}

interface Pair extends AsyncDisposable {
  readonly origin: TestRegistry;
  readonly mirror: TestRegistry;
  readonly image: Descriptor;
  readonly context: TestContext;
  open(options?: RegistryOptions): Promise<WritableSource>;
}

/** A registry, and a mirror with the same image under `cache/`. */
async function startPair(mirrorKeys = '', registryKeys = ''): Promise<Pair> {
  const [origin, mirror] = [await startRegistry(), await startRegistry()];
  const image = await pushImage(openAt(origin.host));
  const copy = openMirroredAt(`${mirror.host}/cache/acme/app:1`, {}, testContext());
  await pushImage(await copy);
  const context = configured(
    `[[registry]]\nprefix = "${origin.host}"\n${registryKeys}\n[[registry.mirror]]\nlocation = "${mirror.host}/cache"\n${mirrorKeys}\n`,
  );
  for (const { requests } of [origin, mirror]) requests.length = 0;
  return {
    origin,
    mirror,
    image,
    context,
    open: (options = {}) => openMirroredAt(`${origin.host}/acme/app:1`, options, context),
    async [Symbol.asyncDispose]() {
      await Promise.all([origin[Symbol.asyncDispose](), mirror[Symbol.asyncDispose]()]);
    },
  };
}

function openMirroredAt(name: string, options: RegistryOptions, context: TestContext): Promise<WritableSource> {
  return openMirrored(parseRegistryReference(name), options, context);
}

const config = blobOf('{}');
const readAll = async (source: WritableSource, digest: Descriptor['digest']): Promise<void> => {
  expect(await source.resolve()).toBe(digest);
  expect((await source.readManifest(digest)).digest).toBe(digest);
  expect((await buffer(await source.readBlob(config.descriptor))).toString()).toBe('{}');
};

describe('reading through a mirror', () => {
  test('asks the mirror, and the registry not at all', async () => {
    await using pair = await startPair();
    await using source = await pair.open();
    await readAll(source, pair.image.digest);
    expect(pair.origin.requests).toEqual([]);
    expect(pair.mirror.lines().every((line) => line.includes(' /v2/cache/acme/app/'))).toBe(true);
    expect(source.reference).toMatchObject({ host: pair.origin.host, repository: 'acme/app' });
  });

  test.each([
    ['does not have it', () => ({ status: 404 }), []],
    ['refuses', () => ({ status: 403 }), ['warning']],
    ['wants a login', () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }), ['warning']],
    ['answers nonsense', () => ({ status: 418 }), ['warning']],
    ['has other bytes', () => ({ status: 200, body: imageManifest('other') }), ['warning']],
  ])('asks the registry where the mirror %s', async (name, fault, kinds) => {
    await using pair = await startPair();
    pair.mirror.behaviour.fault = ({ path }) =>
      name === 'has other bytes' && !path.includes('sha256') ? undefined : fault();
    await using source = await pair.open();
    expect((await source.readManifest(pair.image.digest)).digest).toBe(pair.image.digest);
    expect(pair.origin.lines()).toHaveLength(1);
    expect(pair.context.events.filter(({ kind }) => kind === 'warning').map(({ kind }) => kind)).toEqual(kinds);
  });

  test('asks the registry where the mirror is down, and the mirror not again', async () => {
    await using pair = await startPair();
    await pair.mirror[Symbol.asyncDispose]();
    await using source = await pair.open();
    await readAll(source, pair.image.digest);
    const warnings = pair.context.events.filter(({ kind }) => kind === 'warning');
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(warnings)).toContain('cannot be reached');
  });

  test.each([
    ['there is nothing anywhere', false, false, 'NOT_FOUND'],
    ['the mirror has nothing and the registry is down', false, true, 'REGISTRY_UNREACHABLE'],
    ['the mirror is down and the registry has nothing', true, false, 'NOT_FOUND'],
    ['both are down', true, true, 'REGISTRY_UNREACHABLE'],
  ])('%s: the registry has the last word', async (_, mirrorDown, originDown, code) => {
    await using pair = await startPair();
    await using source = await pair.open();
    if (mirrorDown) await pair.mirror[Symbol.asyncDispose]();
    if (originDown) await pair.origin[Symbol.asyncDispose]();
    expect(await codeOf(source.readManifest(SOME_DIGEST))).toBe(code);
  });

  test.each([
    ['pull-from-mirror = "digest-only"', '', ['HEAD']],
    ['', 'mirror-by-digest-only = true', ['HEAD']],
    ['pull-from-mirror = "tag-only"', '', ['GET', 'GET']],
    ['pull-from-mirror = "all"', '', []],
  ])('%s %s: asks the registry for the rest', async (mirrorKeys, registryKeys, asked) => {
    await using pair = await startPair(mirrorKeys, registryKeys);
    await using source = await pair.open();
    await readAll(source, pair.image.digest);
    expect(pair.origin.lines().map((line) => line.split(' ')[0])).toEqual(asked);
  });

  test('brings the mirror no password that was given for the registry', async () => {
    await using pair = await startPair();
    for (const { behaviour } of [pair.mirror, pair.origin]) {
      behaviour.auth = 'basic';
      behaviour.account = { username: 'ada', password: 'secret' };
    }
    await using source = await pair.open({ credential: { kind: 'basic', username: 'ada', password: 'secret' } });
    await readAll(source, pair.image.digest);
    expect(pair.mirror.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    expect(pair.mirror.requests).not.toEqual([]);
  });
});

describe('lists of referrers', () => {
  async function attach(registry: TestRegistry, repository: string, subject: Descriptor): Promise<Descriptor> {
    const target = await openMirroredAt(`${registry.host}/${repository}`, {}, testContext());
    await target.writeBlob(config.descriptor, () => config.bytes);
    const { mediaType, digest, size } = subject;
    return target.writeManifest(imageManifest('referrer', { subject: { mediaType, digest, size } }));
  }

  test.each(['api', 'none', 'always-empty'] as const)(
    'that are empty at the mirror (%s) are asked of the registry',
    async (referrers) => {
      await using pair = await startPair();
      pair.mirror.behaviour.referrers = referrers;
      const { digest } = await attach(pair.origin, 'acme/app', pair.image);
      await using source = await pair.open();
      expect((await source.listReferrers(pair.image.digest)).map((entry) => entry.digest)).toEqual([digest]);
      expect((await source.readManifest(digest)).digest).toBe(digest);
    },
  );

  test('that the mirror has cost the registry nothing', async () => {
    await using pair = await startPair();
    const { digest } = await attach(pair.mirror, 'cache/acme/app', pair.image);
    await using source = await pair.open();
    expect((await source.listReferrers(pair.image.digest)).map((entry) => entry.digest)).toEqual([digest]);
    expect(pair.origin.requests).toEqual([]);
  });

  test.each([
    ['empty', false],
    ['down', true],
  ])('are not "none" when the mirror is %s and the registry cannot be asked', async (_, down) => {
    await using pair = await startPair();
    await using source = await pair.open();
    if (down) await pair.mirror[Symbol.asyncDispose]();
    pair.origin.behaviour.fault = () => ({ status: 403 });
    expect(await codeOf(source.listReferrers(pair.image.digest))).toBe('REGISTRY_DENIED');
    pair.origin.behaviour.fault = () => undefined;
    expect(await source.listReferrers(pair.image.digest)).toEqual([]);
  });
});

test('what is written goes to the registry, about what its own tag stands for', async () => {
  await using pair = await startPair('', 'location = "127.0.0.1:1"');
  const newer = await pushImage(openAt(pair.origin.host), 'newer');
  pair.origin.requests.length = 0;
  const name = `${pair.origin.host}/acme/app:1`;
  await using written = await openWritable(name, {}, pair.context);
  expect(await written.resolve()).toBe(newer.digest);
  await written.writeBlob(blobOf('new').descriptor, () => blobOf('new').bytes);
  expect(pair.mirror.requests).toEqual([]);
  expect(pair.origin.blobs.has(blobOf('new').descriptor.digest)).toBe(true);
  await using read = await openReferrers(name, {}, pair.context);
  expect(await read.resolve()).toBe(pair.image.digest);
});

test('a location takes the place of the prefix', async () => {
  await using registry = await startRegistry();
  const image = await pushImage(await openMirroredAt(`${registry.host}/moved/app:1`, {}, testContext()));
  const context = configured(`[[registry]]\nprefix = "registry.invalid/team"\nlocation = "${registry.host}/moved"\n`);
  const source = await openMirroredAt('registry.invalid/team/app:1', {}, context);
  expect(source.reference).toMatchObject({ host: 'registry.invalid', repository: 'team/app' });
  await readAll(source, image.digest);
});

describe('a blocked registry', () => {
  const rules = (more = ''): string => `[[registry]]\nlocation = "registry.invalid/bad"\nblocked = true\n${more}`;

  test.each(['registry.invalid/bad/app:1', `registry.invalid/bad@${SOME_DIGEST}`])('%s is refused', async (name) => {
    expect(await codeOf(openMirroredAt(name, {}, configured(rules())))).toBe('REGISTRY_BLOCKED');
    expect(await codeOf(openWritable(name, {}, configured(rules())))).toBe('REGISTRY_BLOCKED');
  });

  test.each(['registry.invalid/badly/app:1', 'registry.invalid/app:1', 'other.invalid/registry.invalid/bad:1'])(
    '%s is another',
    async (name) => {
      expect(await codeOf(openMirroredAt(name, {}, configured(rules())))).toBeUndefined();
    },
  );

  test('is not one where a longer prefix says otherwise', async () => {
    const more = '[[registry]]\nprefix = "registry.invalid/bad/good"\nlocation = "registry.invalid/bad/good"\n';
    expect(
      await codeOf(openMirroredAt('registry.invalid/bad/good/app:1', {}, configured(rules(more)))),
    ).toBeUndefined();
    expect(await codeOf(openMirroredAt('registry.invalid/bad/app:1', {}, configured(rules(more))))).toBe(
      'REGISTRY_BLOCKED',
    );
  });
});

describe('registries.conf', () => {
  const parse = (text: string, context = testContext()): ReturnType<typeof parseRegistriesConf> =>
    parseRegistriesConf(Buffer.from(text), 'the file', context);

  test.each([
    ['*.example.org', 'a.example.org/x', 'a.b.example.org/x/y'],
    ['*.example.org/team', 'a.example.org/team/x', 'a.example.org/team'],
    ['docker.io', 'alpine', 'index.docker.io/acme/app'],
    ['INDEX.docker.io/library', 'alpine:3', 'docker.io/library/busybox'],
  ])('%s is for %s and %s', async (prefix, ...names) => {
    const rules = await parse(`[[registry]]\nprefix = "${prefix}"\n`);
    for (const name of names) expect(matchRule(rules, parseRegistryReference(name))).toBeDefined();
  });

  test.each([
    ['*.example.org', 'example.org/x'],
    ['*.example.org', 'a.example.org.evil.com/x'],
    ['*.example.org', 'evil.com/a.example.org/x'],
    ['example.org', 'example.org:5000/x'],
    ['docker.io/library', 'docker.io/acme/app'],
  ])('%s is not for %s', async (prefix, name) => {
    const rules = await parse(`[[registry]]\nprefix = "${prefix}"\n`);
    expect(matchRule(rules, parseRegistryReference(name))).toBeUndefined();
  });

  test.each([
    ['no TOML', 'registry = ['],
    ['version 1', '[registries.block]\nregistries = ["x.org"]'],
    ['a rule for nothing', '[[registry]]\nblocked = true'],
    ['a flag that is a text', '[[registry]]\nlocation = "x.org"\nblocked = "true"'],
    ['a location that is no host', '[[registry]]\nlocation = "x"'],
    ['a prefix with a tag', '[[registry]]\nprefix = "x.org/app:1"'],
    ['a mirror without a location', '[[registry]]\nlocation = "x.org"\n[[registry.mirror]]\ninsecure = true'],
    [
      'an unknown kind of mirror',
      '[[registry]]\nlocation = "x.org"\n[[registry.mirror]]\nlocation = "y.org"\npull-from-mirror = "tags"',
    ],
    [
      'two kinds at once',
      '[[registry]]\nlocation = "x.org"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "y.org"\npull-from-mirror = "all"',
    ],
    ['a prefix twice', '[[registry]]\nlocation = "x.org"\n[[registry]]\nprefix = "x.org"'],
  ])('with %s is an error', async (_, text) => {
    expect(await codeOf(parse(text))).toBe('REGISTRIES_CONF_INVALID');
  });

  test('what means nothing here is warned about, what is about other things is not', async () => {
    const context = testContext();
    await parse(
      'unqualified-search-registries = ["x"]\n[aliases]\na = "b"\n[[registry]]\nlocation = "x.org"\nnew = 1',
      context,
    );
    expect(context.events).toEqual([{ kind: 'warning', message: 'the file: "new" of a registry means nothing here' }]);
  });

  test("is the user's, with additions that take the place of its rules", async () => {
    const home = temporaryFolder();
    const folder = join(home, '.config', 'containers');
    mkdirSync(join(folder, 'registries.conf.d'), { recursive: true });
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    write('registries.conf', '[[registry]]\nlocation = "a.org"\n[[registry]]\nlocation = "b.org"\n');
    write('registries.conf.d/2.conf', '[[registry]]\nlocation = "b.org"\nblocked = true\n');
    write('registries.conf.d/1.conf', '[[registry]]\nlocation = "b.org"\ninsecure = true\n');
    write('registries.conf.d/3.txt', 'no conf');
    const rules = await readRegistriesConf(testContext({ env: { HOME: home } }));
    expect(rules.map(({ prefix, blocked, insecure }) => [prefix, blocked, insecure])).toEqual([
      ['a.org', false, false],
      ['b.org', true, false],
    ]);
    const missing = { HOME: home, CONTAINERS_REGISTRIES_CONF: join(home, 'missing') };
    expect(await codeOf(readRegistriesConf(testContext({ env: missing })))).toBe('FILE_NOT_FOUND');
  });
});
