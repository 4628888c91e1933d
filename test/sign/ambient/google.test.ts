import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/base/context.ts';
import { googleProvider } from '../../../src/sign/ambient/google.ts';
import { testContext } from '../../support/context.ts';
import { startEndpoint } from '../../support/endpoint.ts';
import { tokenOf } from '../../support/tokens.ts';

const FLAVOR = { 'metadata-flavor': 'Google' };
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'boltseal-test-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('the metadata server', () => {
  const google = googleProvider('absent');

  test('is asked for a full token with the audience', async () => {
    const token = tokenOf();
    await using endpoint = await startEndpoint((response) => response.writeHead(200, FLAVOR).end(`${token}\n`));
    const context = testContext({ env: { GCE_METADATA_HOST: endpoint.host } });
    expect(await google.isPresent(context)).toBe(true);
    expect(await google.fetch('sig store', context)).toBe(token);
    expect(endpoint.requests).toMatchObject([
      {
        path: '/computeMetadata/v1/instance/service-accounts/default/identity?audience=sig+store&format=full',
        headers: FLAVOR,
      },
    ]);
  });

  test('is told from another server by its header', async () => {
    await using endpoint = await startEndpoint((response) => response.end(tokenOf()));
    const context = testContext({ env: { GCE_METADATA_HOST: endpoint.host } });
    await expect(google.fetch('sigstore', context)).rejects.toThrow(/another server/);
  });

  test('without a service account leads to a hint', async () => {
    await using endpoint = await startEndpoint((response) => response.writeHead(404, FLAVOR).end('no account'));
    const context = testContext({ env: { GCE_METADATA_HOST: endpoint.host } });
    await expect(google.fetch('sigstore', context)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('HTTP 404: no account'),
      hint: expect.stringContaining('service account'),
    });
  });

  test.for(['host/path', 'user@host', 'host?x', ':80', 'http://host'])('is not at %s', async (host) => {
    const context = testContext({ env: { GCE_METADATA_HOST: host } });
    await expect(google.fetch('sigstore', context)).rejects.toThrow(/not a host name/);
  });
});

describe('a machine', () => {
  test.for([
    ['Google Compute Engine\n', true],
    ['Google\n', true],
    ['Googleplex', false],
    ['', false],
  ] as const)('whose product name is %j: Google %s', async ([name, expected]) => {
    const file = join(directory, 'product_name');
    await writeFile(file, name);
    expect(await googleProvider(file).isPresent(testContext())).toBe(expected);
  });

  test('is not asked what it is when the environment says', async () => {
    const file = join(directory, 'product_name');
    await writeFile(file, 'Google');
    const context = (detection: string): Context => testContext({ env: { METADATA_SERVER_DETECTION: detection } });
    expect(await googleProvider(file).isPresent(context('none'))).toBe(false);
    expect(await googleProvider('absent').isPresent(context('assume-present'))).toBe(true);
    expect(await googleProvider(file).isPresent(context(''))).toBe(true);
  });

  test('that does not say what it is, is not of Google', async () => {
    expect(await googleProvider(join(directory, 'absent')).isPresent(testContext())).toBe(false);
  });
});
