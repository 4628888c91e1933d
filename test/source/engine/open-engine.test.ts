import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { takeInventory } from '../../../src/catalog/take-inventory.ts';
import { loadImage } from '../../../src/image/load.ts';
import { digestOf, encodedOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { openSource } from '../../../src/source/open.ts';
import { boltseal } from '../../support/cli.ts';
import { testContext } from '../../support/context.ts';
import { engineId, startEngine } from '../../support/engine-server.ts';
import { buildDockerArchive, buildImage, buildLayer, buildOciArchive } from '../../support/image-builder.ts';
import { codeOf } from '../../support/open-registry.ts';

const STATUS =
  'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2.13\nMaintainer: A <a@example.com>\n';
/** More than is kept in memory, so that it has to be read where it is. */
const BIG = 'x'.repeat(2 * 1024 * 1024);
const layers = [
  buildLayer([
    { path: 'etc/os-release', body: 'ID=debian\nVERSION_ID="12"\n' },
    { path: 'big', body: BIG },
  ]),
  buildLayer([
    { path: 'var/lib/dpkg/status', body: STATUS },
    { path: 'big2', body: BIG },
  ]),
  buildLayer([{ path: 'big3', body: BIG }], { compression: 'none' }),
];
const SAVED = {
  'what docker save wrote before version 25': buildDockerArchive([{ tags: ['acme/app:1'], layers }]),
  'what docker save writes since': buildOciArchive([{ image: buildImage({ layers }), tag: '1' }]),
};

function open(name: string, env: Readonly<Record<string, string>>, engine = 'docker') {
  return openSource(parseReference(`${engine}:${name}`), {}, testContext({ env }));
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'boltseal-engine-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('an image in an engine', () => {
  test.each(Object.entries(SAVED))('%s is read as it streams, in two passes', async (_, saved) => {
    await using engine = await startEngine({ images: { 'acme/app:1': saved } });
    const context = testContext({ env: { DOCKER_HOST: engine.address } });
    await using source = await openSource(parseReference('docker:acme/app:1'), {}, context);
    const image = await loadImage(source, await source.resolve(), {}, context);
    const { packages, distro } = await takeInventory(source, image, {}, context);
    expect(packages.map(({ name }) => name)).toEqual(['zlib1g']);
    expect(distro?.id).toBe('debian');
    const get = `/v1.47/images/${engineId('acme/app:1')}/get`;
    expect(engine.requests).toEqual(['/_ping', '/v1.47/images/acme/app:1/json', get, get]);
  });

  test('gives an SBOM on the command line', async () => {
    await using engine = await startEngine({ images: { app: SAVED['what docker save writes since'] } });
    const ran = await boltseal(['sbom', 'docker:app'], { env: { DOCKER_HOST: engine.address } });
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.stdout).toContain('pkg:deb/debian/zlib1g');
  });

  test('nothing can be attached to it', async () => {
    await using engine = await startEngine({ images: { app: SAVED['what docker save writes since'] } });
    const ran = await boltseal(['attach', 'docker:app', 'package.json', '--artifact-type', 'a/b'], {
      env: { DOCKER_HOST: engine.address },
    });
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('NOT_WRITABLE') });
  });

  test('an engine that does not tell its version is asked without one', async () => {
    await using engine = await startEngine({
      images: { app: SAVED['what docker save writes since'] },
      apiVersion: undefined,
    });
    await using _source = await open('app', { DOCKER_HOST: engine.address });
    expect(engine.requests[1]).toBe('/images/app/json');
  });

  test('one that it does not have is not found', async () => {
    await using engine = await startEngine({ images: { app: SAVED['what docker save writes since'] } });
    const error = await open('other', { DOCKER_HOST: engine.address }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('No such image: other') });
  });

  test.each(['../containers/json', 'a//b', './a', 'a?b', 'a#b', 'a%2fb', 'a b'])('%j is not a name', async (name) => {
    await using engine = await startEngine();
    expect(await codeOf(open(name, { DOCKER_HOST: engine.address }))).toBe('REFERENCE_INVALID');
    expect(engine.requests).toEqual(['/_ping']);
  });

  test.each([0, 100_000])('a transfer that breaks off after %i bytes is an error', async (cutAfterBytes) => {
    await using engine = await startEngine({ images: { app: SAVED['what docker save writes since'] }, cutAfterBytes });
    expect(await codeOf(open('app', { DOCKER_HOST: engine.address }))).toBe('ENGINE_UNREACHABLE');
  });

  test('a transfer that breaks off later, among the layers, is an error too', async () => {
    await using engine = await startEngine({ images: { app: SAVED['what docker save writes since'] } });
    const context = testContext({ env: { DOCKER_HOST: engine.address } });
    await using source = await openSource(parseReference('docker:app'), {}, context);
    const image = await loadImage(source, await source.resolve(), {}, context);
    engine.behaviour.cutAfterBytes = 3000;
    const taken = takeInventory(source, image, {}, context);
    expect(await codeOf(taken)).toBe('ENGINE_UNREACHABLE');
  });

  test('bytes that are not those of the digest are refused', async () => {
    const image = buildImage({ layers });
    const changed = Buffer.from(buildOciArchive([{ image, tag: '1' }]));
    const at = changed.indexOf(layers[2]?.bytes.subarray(1024, 2048) ?? '');
    changed.write('y', at + 100);
    await using engine = await startEngine({ images: { app: changed } });
    const context = testContext({ env: { DOCKER_HOST: engine.address } });
    await using source = await openSource(parseReference('docker:app'), {}, context);
    const loaded = await loadImage(source, await source.resolve(), {}, context);
    expect(await codeOf(takeInventory(source, loaded, {}, context))).toBe('DIGEST_MISMATCH');
  });

  test.each([
    [500, '{"message":"no space\\nleft"}', 'ENGINE_ERROR', 'answered 500: no space left'],
    [500, 'x'.repeat(1024 * 1024), 'ENGINE_ERROR', 'answered 500'],
    [200, 'not json', 'ENGINE_ERROR', 'not understood'],
    [200, '{"Id":"../../containers"}', 'ENGINE_ERROR', 'not understood'],
  ])('an answer of %i that is no description of an image is an error', async (status, body, code, words) => {
    await using engine = await startEngine({
      fault: (path, response) => {
        if (!path.endsWith('/json')) return false;
        response.writeHead(status).end(body);
        return true;
      },
    });
    const error = await open('app', { DOCKER_HOST: engine.address }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
    expect((error as Error).message.length).toBeLessThan(600);
  });
});

describe('where an engine is looked for', () => {
  const images = { app: SAVED['what docker save writes since'] };

  test('names everything that was tried when none answers', async () => {
    const runtime = folder();
    const error = await open('app', { XDG_RUNTIME_DIR: runtime }, 'podman').catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: expect.stringMatching(
        `tried unix://${runtime}/podman/podman.sock \\(it does not exist\\), unix:///run/podman/podman.sock`,
      ),
      hint: expect.stringContaining('CONTAINER_HOST'),
    });
  });

  test('podman is found by its variable', async () => {
    await using engine = await startEngine({ images });
    await using source = await open('app', { CONTAINER_HOST: engine.address }, 'podman');
    expect(source.reference).toEqual({ kind: 'daemon', engine: 'podman', name: 'app' });
  });

  test('a socket that is no engine is said to be none', async () => {
    await using engine = await startEngine({
      fault: (_, response) => {
        response.writeHead(404).end();
        return true;
      },
    });
    const error = await open('app', { DOCKER_HOST: engine.address }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ENGINE_UNREACHABLE', message: expect.stringContaining('no engine (404)') });
  });

  test('the Docker context in use says where, and DOCKER_HOST is before it', async () => {
    await using engine = await startEngine({ images });
    const config = folder();
    const meta = join(config, 'contexts/meta', encodedOf(digestOf('remote')));
    mkdirSync(meta, { recursive: true });
    writeFileSync(join(config, 'config.json'), '{"currentContext":"remote"}');
    const write = (host: string): void =>
      writeFileSync(join(meta, 'meta.json'), JSON.stringify({ Name: 'remote', Endpoints: { docker: { Host: host } } }));
    write(engine.address);
    await using _byContext = await open('app', { DOCKER_CONFIG: config });
    write('unix:///nowhere.sock');
    expect(await codeOf(open('app', { DOCKER_CONFIG: config }))).toBe('ENGINE_UNREACHABLE');
    await using _byVariable = await open('app', { DOCKER_CONFIG: config, DOCKER_HOST: engine.address });
    const other = { DOCKER_CONFIG: config, DOCKER_CONTEXT: 'gone' };
    expect(await codeOf(open('app', other))).toBe('FILE_NOT_FOUND');
  });

  test.each([
    ['npipe:////./pipe/docker_engine', 'Windows named pipes'],
    ['ssh://me@host', 'Forward the socket'],
    ['fd://', 'Addresses look like'],
    ['tcp://', 'Addresses look like'],
    ['tcp://user:secret@host:1', 'Addresses look like'],
    ['unix://relative.sock', 'Addresses look like'],
    ['nonsense', 'Addresses look like'],
  ])('%s is refused before anything is asked', async (address, hint) => {
    const error = await open('app', { DOCKER_HOST: address }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'USAGE', hint: expect.stringContaining(hint) });
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  describe('with TLS', () => {
    const fixture = (name: string): string =>
      readFileSync(join(import.meta.dirname, '../../fixtures/tls', name), 'utf8');
    const tls = { cert: fixture('localhost.crt'), key: fixture('localhost.key') };

    test('the certificate has to be one of DOCKER_CERT_PATH, and the client shows its own', async () => {
      await using engine = await startEngine({ images }, { tls: { ...tls, ca: tls.cert } });
      const certificates = folder();
      const env = { DOCKER_HOST: engine.address, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates };
      expect(await codeOf(open('app', env))).toBe('ENGINE_UNREACHABLE');
      writeFileSync(join(certificates, 'ca.pem'), tls.cert);
      expect(await codeOf(open('app', env))).toBe('ENGINE_UNREACHABLE');
      writeFileSync(join(certificates, 'cert.pem'), tls.cert);
      writeFileSync(join(certificates, 'key.pem'), tls.key);
      await using _source = await open('app', env);
      const plain = { DOCKER_HOST: engine.address };
      expect(await codeOf(open('app', plain))).toBe('ENGINE_UNREACHABLE');
    });
  });
});
