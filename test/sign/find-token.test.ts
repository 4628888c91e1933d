import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, type SandboxRequest } from '../../src/sandbox/http/message.ts';
import { serve, type Service } from '../../src/sandbox/http/server.ts';
import { findIdentityToken } from '../../src/sign/find-token.ts';
import { testContext } from '../support/context.ts';

const context = testContext();
let directory: string;
let file: string;
let actions: Service;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'boltseal-token-'));
  file = join(directory, 'token');
  await writeFile(file, `${tokenOf('file')}\n`);
  actions = await serve({ name: 'actions', port: 0, routes: () => actionsRoutes }, context);
});
afterAll(async () => {
  await actions[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** GitHub's endpoint: a query of its own before the audience, and a bearer token. */
const actionsRoutes = [
  {
    methods: ['GET'],
    path: /^\/token$/,
    answer({ url, headers }: SandboxRequest) {
      if (headers.authorization !== 'Bearer hush') return json(401, { message: 'who are you, bearer of hush-hush?' });
      const good = url.searchParams.get('api-version') === '2' && url.searchParams.get('audience') === 'sigstore';
      return good ? json(200, { value: tokenOf('actions') }) : json(400, { message: 'bad query' });
    },
  },
  { methods: ['GET'], path: /^\/html$/, answer: () => ({ status: 200, body: '<html>' }) },
];

describe('the identity token', () => {
  test('is the one given, before everything else', async () => {
    const env = { SIGSTORE_ID_TOKEN: tokenOf('environment') };
    const token = await findIdentityToken({ token: tokenOf('flag') }, { ...context, env });
    expect([token.identity, token.origin]).toEqual(['flag', 'the command line']);
  });

  test('is read from a file when a file is given, as cosign does', async () => {
    expect((await findIdentityToken({ token: file }, context)).identity).toBe('file');
    expect((await findIdentityToken({ tokenFile: file }, context)).identity).toBe('file');
  });

  test('comes from SIGSTORE_ID_TOKEN', async () => {
    const token = await findIdentityToken({}, { ...context, env: { SIGSTORE_ID_TOKEN: tokenOf('environment') } });
    expect([token.identity, token.origin]).toEqual(['environment', 'SIGSTORE_ID_TOKEN']);
  });

  test('comes from GitHub Actions, for the audience sigstore', async () => {
    const token = await findIdentityToken({}, { ...context, env: actionsEnv('/token?api-version=2') });
    expect([token.identity, token.origin]).toEqual(['actions', 'GitHub Actions']);
  });

  test('that is there but no good is an error; the next one is not tried', async () => {
    const env = { ...actionsEnv('/token?api-version=2'), SIGSTORE_ID_TOKEN: 'rubbish' };
    await expect(findIdentityToken({}, { ...context, env })).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  test('that GitHub Actions refuses is an error with its status, without either token', async () => {
    const env = actionsEnv('/token?api-version=2', 'hush-hush');
    const found = findIdentityToken({}, { ...context, env });
    await expect(found).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('HTTP 401') as string,
    });
    await expect(found).rejects.toMatchObject({ message: expect.not.stringContaining('hush') as string });
    await expect(found).rejects.toMatchObject({ hint: expect.stringContaining('id-token: write') as string });
  });

  test.for(['/html', '/nothing'])('that is not in the answer of %s is an error', async (path) => {
    const found = findIdentityToken({}, { ...context, env: actionsEnv(path) });
    await expect(found).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  test('in a file that is not there is FILE_NOT_FOUND', async () => {
    const found = findIdentityToken({ tokenFile: join(directory, 'absent') }, context);
    await expect(found).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test('nowhere is TOKEN_MISSING, and the hint names the ways to give one', async () => {
    const found = findIdentityToken({}, { ...context, env: { GITHUB_ACTIONS: 'true' } });
    await expect(found).rejects.toMatchObject({ code: 'TOKEN_MISSING', exitCode: 2 });
    for (const way of ['--identity-token', 'SIGSTORE_ID_TOKEN', 'GitHub Actions', 'sandbox', 'id-token: write'])
      await expect(found).rejects.toMatchObject({ hint: expect.stringContaining(way) as string });
  });
});

function actionsEnv(path: string, bearer = 'hush'): Record<string, string> {
  return { ACTIONS_ID_TOKEN_REQUEST_URL: `${actions.url}${path}`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer };
}

function tokenOf(sub: string): string {
  const exp = context.now().getTime() / 1000 + 300;
  return new UnsecuredJWT({ iss: 'https://issuer.example', sub, aud: 'sigstore', exp }).encode();
}
