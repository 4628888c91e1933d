import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attachArtifact } from '../../src/referrers/attach.ts';
import { bundleArtifact } from '../../src/referrers/artifact.ts';
import { listBundles } from '../../src/referrers/bundles.ts';
import { findSubject } from '../../src/actions/open-image.ts';
import { boltseal } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { buildSealedImage } from '../support/sealed-image.ts';
import { startSigningSandbox, type SigningSandbox } from '../support/signing-sandbox.ts';

let signing: SigningSandbox;
let folder: string;
const who = (): readonly string[] => [
  '--certificate-identity',
  signing.sandbox.identity,
  '--certificate-oidc-issuer',
  signing.sandbox.issuer,
];
const countOf = (pattern: RegExp): number => signing.asked.filter((line) => pattern.test(line)).length;
const anotherToken = (): Promise<string> => signing.sandbox.token({ sub: 'https://example.org/somebody-else' });

beforeAll(async () => {
  signing = await startSigningSandbox();
  ({ folder } = signing);
});
afterAll(() => signing[Symbol.asyncDispose]());

describe('sign --recursive', () => {
  test('signs the index and every image in it with one certificate, and not what is no image', async () => {
    const { index, amd64, arm64, attestation } = buildSealedImage('recursive');
    const image = await signing.push('recursive', index);
    signing.asked.length = 0;
    const ran = await signing.run('sign', '--recursive', image, '--format', 'json');
    expect(ran).toMatchObject({ exitCode: 0 });
    const { images } = JSON.parse(ran.stdout) as { images: readonly { digest: string; reference: string }[] };
    expect(images.map(({ digest }) => digest)).toEqual([index.digest, amd64.digest, arm64.digest]);
    expect(countOf(/signingCert/)).toBe(1);
    for (const { reference } of images)
      expect(await signing.run('verify', reference, ...who())).toMatchObject({ exitCode: 0 });
    expect(await signing.referrers(image, attestation.digest)).toEqual([]);
    const text = await signing.run('sign', '-r', image);
    expect(text.stdout).toMatch(/\(linux\/arm64\)\n {2}already signed by /);
  });

  test('without it, the images in the index stay unsigned', async () => {
    const { index, amd64 } = buildSealedImage('flat');
    const image = await signing.push('flat', index);
    expect(await signing.run('sign', image)).toMatchObject({ exitCode: 0 });
    expect(await signing.run('verify', image, ...who())).toMatchObject({ exitCode: 0 });
    const child = `${image.replace(':v1', '')}@${amd64.digest}`;
    expect(await signing.run('verify', child, ...who())).toMatchObject({ exitCode: 1 });
  });
});

describe('signing again what is there already', () => {
  test('is reported and signs nothing: nothing is logged and nothing is attached', async () => {
    const image = await signing.push('again');
    expect(await signing.run('sign', image)).toMatchObject({ exitCode: 0 });
    const before = await signing.referrers(image);
    signing.asked.length = 0;
    const again = await signing.run('sign', image);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('already signed by') });
    expect(again.stdout).toContain(before[0]);
    expect(countOf(/^(rekor|log|tsa|timestamp)|PUT|POST .*blobs/)).toBe(0);
    expect(await signing.referrers(image)).toEqual(before);
  });

  test('does not hold back another statement, nor another signer', async () => {
    const image = await signing.push('others');
    await signing.run('sign', image);
    expect((await signing.run('sign', image, '-a', 'env=prod')).stdout).not.toContain('already');
    expect((await signing.run('sign', image, '--identity-token', await anotherToken())).stdout).not.toContain(
      'already',
    );
    expect(await signing.referrers(image)).toHaveLength(3);
  });

  test('is no reason to leave an image with a forged signature unsigned', async () => {
    const image = await signing.push('forged');
    await signing.run('sign', image);
    await using source = await signing.open(image);
    const subject = await findSubject(source, undefined);
    const [real] = await Array.fromAsync(listBundles(source, subject.digest));
    if (real?.kind !== 'bundle') throw new Error('there is no bundle');
    // The promise of the log and its proof are gone: what is left is signed, and not witnessed.
    const json = JSON.parse(Buffer.from(real.bytes).toString()) as { verificationMaterial: Record<string, unknown> };
    json.verificationMaterial['tlogEntries'] = [];
    await source.deleteManifest?.(real.manifestDigest);
    const forged = bundleArtifact(Buffer.from(JSON.stringify(json)), real.predicateType ?? '', new Date());
    await attachArtifact(source, subject, forged, testContext());
    const signed = await signing.run('sign', image);
    expect(signed.stdout).not.toContain('already');
    expect(signed.stderr).toMatch(/claims to be by the same signer, and does not count/);
    expect(await signing.run('verify', image, ...who())).toMatchObject({ exitCode: 0 });
  });

  test('knows an attestation by its content, whenever it was made', async () => {
    const image = await signing.push('attested');
    const predicate = join(folder, 'note.txt');
    const attest = (): Promise<{ stdout: string }> =>
      signing.run('attest', image, '--type', 'custom', '--predicate', predicate);
    writeFileSync(predicate, 'first');
    await attest();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await attest()).stdout).toContain('already attested, custom, by');
    writeFileSync(predicate, 'second');
    expect((await attest()).stdout).not.toContain('already');
    expect(await signing.referrers(image)).toHaveLength(2);
  });

  test('holds for seal, and not after the image has changed', async () => {
    const image = await signing.push('sealed');
    expect(await signing.run('seal', image)).toMatchObject({ exitCode: 0 });
    const again = await signing.run('seal', image);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/already as [\s\S]*already as /) });
    expect(await signing.referrers(image)).toHaveLength(2);
    await signing.push('sealed', buildSealedImage('sealed').amd64);
    expect((await signing.run('seal', image)).stdout).not.toContain('already');
  });

  test('knows a key by itself, and another key as another', async () => {
    const image = await signing.push('keys');
    const env = { ...signing.sandbox.environment, BOLTSEAL_PASSWORD: 'x' };
    const keys = ['one', 'two'].map((name) => join(folder, name));
    for (const key of keys) await boltseal(['generate-key-pair', '--output-key-prefix', key], { env });
    const sign = (key: string | undefined): ReturnType<typeof boltseal> =>
      boltseal(['sign', image, '--key', `${key}.key`], { env });
    expect(await sign(keys[0])).toMatchObject({ exitCode: 0 });
    expect((await sign(keys[0])).stdout).toContain('already signed by');
    expect((await sign(keys[1])).stdout).not.toContain('already');
  });

  test('does not believe what a bundle says of itself where no trusted root is known, and says so', async () => {
    const image = await signing.push('rootless');
    const { BOLTSEAL_TRUSTED_ROOT: _root, ...env } = signing.sandbox.environment;
    await boltseal(['sign', image], { env });
    const again = await boltseal(['sign', image], { env });
    expect(again.stdout).not.toContain('already');
    expect(again.stderr).toMatch(/could not be verified and does not count: --trusted-root/);
    expect(await signing.referrers(image)).toHaveLength(2);
  });
});

describe('--replace', () => {
  test('puts the new one in the place of the same signer’s, and leaves those of others', async () => {
    const image = await signing.push('replace');
    await signing.run('sign', image);
    await signing.run('sign', image, '-a', 'env=test');
    const own = await signing.referrers(image);
    await signing.run('sign', image, '--identity-token', await anotherToken());
    const [theirs] = (await signing.referrers(image)).filter((digest) => !own.includes(digest));
    const ran = await signing.run('sign', image, '--replace', '--format', 'json');
    expect(ran).toMatchObject({ exitCode: 0 });
    const [{ bundle } = { bundle: undefined }] = (
      JSON.parse(ran.stdout) as { images: readonly { bundle: { manifest: string; replaced: readonly string[] } }[] }
    ).images;
    expect(bundle?.replaced.toSorted()).toEqual(own.toSorted());
    expect((await signing.referrers(image)).toSorted()).toEqual([theirs, bundle?.manifest].toSorted());
  });

  test('leaves a signature that something refers to, and says so', async () => {
    const image = await signing.push('replace-used');
    await signing.run('sign', image);
    const [old] = await signing.referrers(image);
    const note = join(folder, 'used.txt');
    writeFileSync(note, 'about the signature');
    const child = `${image.replace(':v1', '')}@${old}`;
    expect(await signing.run('attach', child, note, '--artifact-type', 'text/x-note')).toMatchObject({ exitCode: 0 });
    const ran = await signing.run('sign', image, '--replace');
    expect(ran).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`${old} was not replaced`) });
    expect(await signing.referrers(image)).toHaveLength(2);
  });

  test('leaves what the same signer attached of another type', async () => {
    const image = await signing.push('replace-type');
    const predicate = join(folder, 'other.txt');
    writeFileSync(predicate, 'a note');
    await signing.run('attest', image, '--type', 'custom', '--predicate', predicate);
    const [note] = await signing.referrers(image);
    await signing.run('sign', image);
    await signing.run('sign', image, '--replace');
    const after = await signing.referrers(image);
    expect(after).toHaveLength(2);
    expect(after).toContain(note);
  });
});

describe('what looking for it costs', () => {
  const questions = (asked: readonly string[]): readonly string[] =>
    asked.filter((line) => /GET .*(referrers\/|manifests\/sha256-)/.test(line));

  test.each([
    ['with the referrers API', true],
    ['without it', false],
  ])('a first signature needs one listing, which looks at the tag where the API has none: %s', async (_name, api) => {
    await using other = await startSigningSandbox({ referrersApi: api });
    const image = await other.push('first');
    other.asked.length = 0;
    expect(await other.run('sign', image)).toMatchObject({ exitCode: 0 });
    const firstWrite = other.asked.findIndex((line) => line.startsWith('registry: POST'));
    expect(questions(other.asked.slice(0, firstWrite))).toHaveLength(2);
  });

  test('where something is listed, one request, and nothing of another type is fetched', async () => {
    const image = await signing.push('listed');
    const predicate = join(folder, 'listed.txt');
    writeFileSync(predicate, 'a note');
    await signing.run('attest', image, '--type', 'custom', '--predicate', predicate);
    signing.asked.length = 0;
    expect(await signing.run('sign', image)).toMatchObject({ exitCode: 0 });
    expect(questions(signing.asked)).toHaveLength(1);
    expect(signing.asked.filter((line) => /GET .*blobs/.test(line))).toEqual([]);
  });
});
