import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publicGoodTrustedRootJson } from '../../src/verify/public-good.ts';
import { boltseal, type Ran } from '../support/cli.ts';
import { startTufRepository, type TestTufRepository } from '../support/tuf-repository.ts';

const ROOT = publicGoodTrustedRootJson().toString();
const OTHER_ROOT = ROOT.replace('2021-01-12T11:53:27', '2021-01-13T11:53:27');
const SIGNING_CONFIG = JSON.stringify({
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  caUrls: [
    {
      url: 'https://fulcio.example.com',
      majorApiVersion: 1,
      validFor: { start: '2024-01-01T00:00:00Z' },
      operator: 'example.com',
    },
  ],
});
const TARGETS = { 'trusted_root.json': ROOT, 'signing_config.v0.2.json': SIGNING_CONFIG };

let folder: string;
let repository: TestTufRepository;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'boltseal-trust-'));
  repository = await startTufRepository();
  writeFileSync(join(folder, 'root.json'), repository.firstRoot);
});
afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const tuf = (cache = 'cache'): readonly string[] => [
  '--mirror',
  repository.origin,
  '--root',
  join(folder, 'root.json'),
  '--cache',
  join(folder, cache),
];
const output = (): string => join(folder, 'trust.json');
const update = (...more: readonly string[]): Promise<Ran> =>
  boltseal(['trust', 'update', ...tuf(), '-o', output(), ...more]);
const verify = (...more: readonly string[]): Promise<Ran> => boltseal(['trust', 'verify', output(), ...tuf(), ...more]);
const errorCode = ({ stderr }: Ran): string | undefined => /error (\w+)/.exec(stderr)?.[1];

describe('trust update', () => {
  test('writes what the repository vouches for, as one file that says whom to trust and where to sign', async () => {
    repository.publish(TARGETS);
    const { exitCode, stdout } = await update('--format', 'json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'TrustResult', source: output() });
    expect(JSON.parse(readFileSync(output(), 'utf8'))).toEqual({
      mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
      trustedRoot: JSON.parse(ROOT) as object,
      signingConfig: JSON.parse(SIGNING_CONFIG) as object,
    });
    const shown = await boltseal(['trust', 'show', output()]);
    expect(shown.stdout).toContain('https://fulcio.example.com');
  });

  test('follows a new root that the old one signed, and refuses one that it did not', async () => {
    repository.publish(TARGETS);
    repository.rotateRoot();
    expect(await update()).toMatchObject({ exitCode: 0 });
    const stranger = await startTufRepository();
    writeFileSync(join(folder, 'root.json'), stranger.firstRoot);
    await stranger[Symbol.asyncDispose]();
    expect(errorCode(await update())).toBe('TUF_FAILED');
  });

  test('refuses an older state than it has seen, and keeps what it had', async () => {
    repository.publish(TARGETS);
    const old = new Map(repository.files);
    repository.publish({ ...TARGETS, 'trusted_root.json': OTHER_ROOT });
    expect(await update()).toMatchObject({ exitCode: 0 });
    const before = readFileSync(output(), 'utf8');
    for (const [path, bytes] of old) repository.files.set(path, bytes);
    const again = await update();
    expect({ code: errorCode(again), exitCode: again.exitCode }).toEqual({ code: 'TUF_ROLLBACK', exitCode: 3 });
    expect(readFileSync(output(), 'utf8')).toBe(before);
  });

  test('takes the same state again', async () => {
    repository.publish(TARGETS);
    expect(await update()).toMatchObject({ exitCode: 0 });
    expect(await update()).toMatchObject({ exitCode: 0 });
  });

  test.each<readonly [string, (repository: TestTufRepository) => void]>([
    ['expired metadata', (one) => one.publish(TARGETS, { expires: '2020-01-01T00:00:00Z' })],
    ['a target with other bytes', (one) => one.publish(TARGETS, { served: { 'trusted_root.json': OTHER_ROOT } })],
    ['no trusted root', (one) => one.publish({ 'other.json': '{}' })],
    [
      'metadata that somebody changed',
      (one) => {
        one.publish(TARGETS);
        const text = one.files.get('1.targets.json')?.toString() ?? '';
        one.files.set('1.targets.json', Buffer.from(text.replace('2099', '2098')));
      },
    ],
  ])('refuses %s', async (_name, prepare) => {
    prepare(repository);
    expect(errorCode(await update())).toBe('TUF_FAILED');
    expect(readdirSync(folder)).not.toContain('trust.json');
  });

  test.skipIf(process.getuid?.() === 0)(
    'works where nothing can be remembered, and says so (needs a user other than root)',
    async () => {
      repository.publish(TARGETS);
      mkdirSync(join(folder, 'cache'));
      chmodSync(join(folder, 'cache'), 0o500);
      expect(await update()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('rollback') as string });
    },
  );

  test('works where the cache is in a place that cannot be, and says so', async () => {
    repository.publish(TARGETS);
    writeFileSync(join(folder, 'file'), '');
    const { exitCode, stderr } = await boltseal(['trust', 'update', ...tuf('file/cache'), '-o', output()]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('rollback');
  });

  test('asks for a root where none is built in', async () => {
    const ran = await boltseal(['trust', 'update', '--mirror', 'https://tuf.example.com', '-o', output()]);
    expect({ code: errorCode(ran), exitCode: ran.exitCode }).toEqual({ code: 'USAGE', exitCode: 2 });
  });
});

describe('trust verify', () => {
  test('says yes to what the repository vouches for and no to anything else', async () => {
    repository.publish(TARGETS);
    await update();
    expect(await verify()).toMatchObject({ exitCode: 0 });
    repository.publish({ ...TARGETS, 'trusted_root.json': OTHER_ROOT });
    expect(await verify()).toMatchObject({ exitCode: 1 });
  });

  test('offline it asks what is remembered, and without that it cannot say', async () => {
    repository.publish(TARGETS);
    await update();
    await repository[Symbol.asyncDispose]();
    expect(await verify('--offline')).toMatchObject({ exitCode: 0 });
    rmSync(join(folder, 'cache'), { recursive: true });
    const ran = await verify('--offline');
    expect({ code: errorCode(ran), exitCode: ran.exitCode }).toEqual({ code: 'TUF_FAILED', exitCode: 3 });
  });
});

describe('trust bundle', () => {
  test('packs two files into one that is read wherever they were', async () => {
    const [root, config] = [join(folder, 'trusted_root.json'), join(folder, 'signing_config.json')];
    writeFileSync(root, ROOT);
    writeFileSync(config, SIGNING_CONFIG);
    const packed = await boltseal([
      'trust',
      'bundle',
      '--trusted-root',
      root,
      '--signing-config',
      config,
      '-o',
      output(),
    ]);
    expect(packed).toMatchObject({ exitCode: 0 });
    const shown = JSON.parse((await boltseal(['trust', 'show', '--trust', output(), '--format', 'json'])).stdout) as {
      services: readonly { kind: string; name: string; isValid: boolean }[];
    };
    expect(shown.services).toContainEqual(
      expect.objectContaining({
        kind: 'sign: certificate authority',
        name: 'https://fulcio.example.com',
        isValid: true,
      }),
    );
    expect(shown.services).toContainEqual(
      expect.objectContaining({ name: 'https://rekor.sigstore.dev', isValid: true }),
    );
  });

  test('refuses a trusted root that could not be used later', async () => {
    const root = join(folder, 'trusted_root.json');
    writeFileSync(root, ROOT.replace('"tlogs"', '"tLogs"'));
    const ran = await boltseal(['trust', 'bundle', '--trusted-root', root, '-o', output()]);
    expect(errorCode(ran)).toBe('TRUST_ROOT_INVALID');
    expect(readdirSync(folder)).not.toContain('trust.json');
  });
});
