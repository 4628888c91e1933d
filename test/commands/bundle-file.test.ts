import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSigningSandbox, type SigningSandbox } from '../support/signing-sandbox.ts';

let signing: SigningSandbox;
const who = (): readonly string[] => [
  '--certificate-identity',
  signing.sandbox.identity,
  '--certificate-oidc-issuer',
  signing.sandbox.issuer,
];
const file = (name: string): string => join(signing.folder, name);

beforeAll(async () => {
  signing = await startSigningSandbox();
});
afterAll(() => signing[Symbol.asyncDispose]());

describe('sign and attest --no-upload --bundle', () => {
  test.each([
    ['sign', []],
    ['attest', ['--type', 'custom', '--predicate', 'NOTE']],
  ])('%s writes the bundle and pushes nothing; attach --bundle makes it count', async (command, more) => {
    const image = await signing.push(`aside-${command}`);
    writeFileSync(file('note'), 'a note');
    const flags = more.map((flag) => (flag === 'NOTE' ? file('note') : flag));
    const bundle = file(`${command}.json`);
    signing.asked.length = 0;
    const ran = await signing.run(command, image, ...flags, '--no-upload', '--bundle', bundle);
    expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`written to ${bundle}`) });
    expect(signing.asked.filter((line) => /registry: (POST|PUT|PATCH)/.test(line))).toEqual([]);
    const asked = command === 'sign' ? [] : ['--type', 'custom'];
    expect(await signing.run('verify', image, ...who(), ...asked)).toMatchObject({ exitCode: 1 });

    expect(await signing.run('attach', image, '--bundle', bundle)).toMatchObject({ exitCode: 0 });
    expect(await signing.run('verify', image, ...who(), ...asked)).toMatchObject({ exitCode: 0 });
    const again = await signing.run('attach', image, '--bundle', bundle);
    expect(again.stdout).toContain('already attached');
    expect(await signing.referrers(image)).toHaveLength(1);
    expect((await signing.run(command, image, ...flags)).stdout).toContain('already');
  });

  test('without --no-upload, the bundle is written and attached, also where it was there before', async () => {
    const image = await signing.push('both');
    expect(await signing.run('sign', image, '--bundle', file('both.json'))).toMatchObject({ exitCode: 0 });
    expect(await signing.run('sign', image, '--bundle', file('again.json'))).toMatchObject({ exitCode: 0 });
    expect(readFileSync(file('again.json'))).toEqual(readFileSync(file('both.json')));
    expect(await signing.referrers(image)).toHaveLength(1);
  });

  test('a bundle that would go nowhere, and several in one file, are refused before anything is sent', async () => {
    const image = await signing.push('nowhere');
    signing.asked.length = 0;
    const output = ['--no-upload', '--bundle', file('none.json')];
    for (const argv of [
      ['sign', image, '--no-upload'],
      ['sign', image, image, ...output],
      ['sign', image, '-r', ...output],
    ])
      expect(await signing.run(...argv)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('USAGE') });
    expect(signing.asked).toEqual([]);
    expect(existsSync(file('none.json'))).toBe(false);
  });
});

describe('attach --bundle refuses', () => {
  test('a bundle about another image', async () => {
    const [one, other] = [await signing.push('about-one'), await signing.push('about-other')];
    await signing.run('sign', one, '--no-upload', '--bundle', file('one.json'));
    expect(await signing.run('attach', other, '--bundle', file('one.json'))).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/STATEMENT_INVALID[\s\S]*and not about sha256:/),
    });
    expect(await signing.referrers(other)).toEqual([]);
  });

  test('a signature that its certificate did not make, a signed file, and what is no bundle', async () => {
    const image = await signing.push('damaged');
    await signing.run('sign', image, '--no-upload', '--bundle', file('good.json'));
    const bundle = JSON.parse(readFileSync(file('good.json'), 'utf8')) as { dsseEnvelope: Record<string, unknown> };
    bundle.dsseEnvelope['signatures'] = [{ sig: Buffer.from('not it').toString('base64'), keyid: '' }];
    writeFileSync(file('damaged.json'), JSON.stringify(bundle));
    writeFileSync(file('text.json'), '{}');
    await signing.run('sign-blob', file('text.json'), '--bundle', file('blob.json'));
    for (const name of ['damaged.json', 'text.json', 'blob.json'])
      expect(await signing.run('attach', image, '--bundle', file(name))).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(/STATEMENT_INVALID[\s\S]*cannot be attached/),
      });
    expect(await signing.referrers(image)).toEqual([]);
    expect(await signing.run('attach', image, '--bundle', file('good.json'))).toMatchObject({ exitCode: 0 });
  });

  test('files beside it, and neither files nor a bundle', async () => {
    for (const more of [
      ['x.txt', '--bundle', 'b.json'],
      ['--bundle', 'b.json', '--artifact-type', 'a/b'],
      ['x.txt'],
      [],
    ])
      expect(await signing.run('attach', 'localhost/a/b:c', ...more)).toMatchObject({ exitCode: 2 });
  });
});
