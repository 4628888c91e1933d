import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, type SandboxRequest } from '../../src/sandbox/http/message.ts';
import { serve, type Service } from '../../src/sandbox/http/server.ts';
import { obtainIdentityToken } from '../../src/sign/obtain-identity-token.ts';
import type { Context } from '../../src/base/context.ts';
import { environment } from '../../src/sign/ambient/environment.ts';
import { fileProvider } from '../../src/sign/ambient/file.ts';
import { testContext } from '../support/context.ts';
import { startEndpoint } from '../support/endpoint.ts';
import { startOidcServer } from '../support/oidc-server.ts';
import { withProgram } from '../support/program.ts';
import { tokenOf as good } from '../support/tokens.ts';
import { reply, startAgent, svidResponse } from '../support/workload-api.ts';

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
      const isGood = url.searchParams.get('api-version') === '2' && url.searchParams.get('audience') === 'sigstore';
      return isGood ? json(200, { value: tokenOf('actions') }) : json(400, { message: 'bad query' });
    },
  },
  { methods: ['GET'], path: /^\/html$/, answer: () => ({ status: 200, body: '<html>' }) },
];

describe('the identity token', () => {
  test('is the one given, before everything else', async () => {
    const env = { SIGSTORE_ID_TOKEN: tokenOf('environment') };
    const token = await obtainIdentityToken({ token: tokenOf('flag') }, { ...context, env });
    expect([token.identity, token.origin]).toEqual(['flag', 'the command line']);
  });

  test('is read from a file when a file is given, as cosign does', async () => {
    expect((await obtainIdentityToken({ token: file }, context)).identity).toBe('file');
    expect((await obtainIdentityToken({ tokenFile: file }, context)).identity).toBe('file');
  });

  test('comes from SIGSTORE_ID_TOKEN', async () => {
    const token = await obtainIdentityToken({}, { ...context, env: { SIGSTORE_ID_TOKEN: tokenOf('environment') } });
    expect([token.identity, token.origin]).toEqual(['environment', 'SIGSTORE_ID_TOKEN']);
  });

  test('comes from GitHub Actions, for the audience sigstore', async () => {
    const token = await obtainIdentityToken({}, { ...context, env: actionsEnv('/token?api-version=2') });
    expect([token.identity, token.origin]).toEqual(['actions', 'GitHub Actions']);
  });

  test('that is there but no good is an error; the next one is not tried', async () => {
    const env = { ...actionsEnv('/token?api-version=2'), SIGSTORE_ID_TOKEN: 'rubbish' };
    await expect(obtainIdentityToken({}, { ...context, env })).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  test('that GitHub Actions refuses is an error with its status, without either token', async () => {
    const env = actionsEnv('/token?api-version=2', 'hush-hush');
    const found = obtainIdentityToken({}, { ...context, env });
    await expect(found).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('HTTP 401') as string,
    });
    await expect(found).rejects.toMatchObject({ message: expect.not.stringContaining('hush') as string });
    await expect(found).rejects.toMatchObject({ hint: expect.stringContaining('id-token: write') as string });
  });

  test.for(['/html', '/nothing'])('that is not in the answer of %s is an error', async (path) => {
    const found = obtainIdentityToken({}, { ...context, env: actionsEnv(path) });
    await expect(found).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  test('in a file that is not there is FILE_NOT_FOUND', async () => {
    const found = obtainIdentityToken({ tokenFile: join(directory, 'absent') }, context);
    await expect(found).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test('nowhere is TOKEN_MISSING, and the hint names the ways to give one', async () => {
    const found = obtainIdentityToken(
      {},
      { ...context, env: { GITHUB_ACTIONS: 'true', METADATA_SERVER_DETECTION: 'none' } },
    );
    await expect(found).rejects.toMatchObject({ code: 'TOKEN_MISSING', exitCode: 2 });
    for (const way of ['--identity-token', 'SIGSTORE_ID_TOKEN', 'GitHub Actions', 'sandbox', 'id-token: write'])
      await expect(found).rejects.toMatchObject({ hint: expect.stringContaining(way) as string });
  });
});

describe('before a token is used', () => {
  test('whom it names, who vouches for it and where it is from is said', async () => {
    const said = testContext();
    await obtainIdentityToken({ token: good({ sub: 'job\u001B[2J' }) }, said);
    expect(said.events).toEqual([
      {
        kind: 'step',
        message: expect.stringMatching(
          /^signing as job \[2J, .*https:\/\/issuer\.example .*the command line/,
        ) as string,
      },
    ]);
  });

  test.for([
    ['expired', { exp: 1_700_000_000 }, /expired/],
    ['for another audience', { aud: 'elsewhere' }, /meant for "elsewhere"/],
    ['for nobody', { aud: undefined }, /meant for nobody/],
  ] as const)('it is refused when it is %s, wherever it is from', async ([, claims, message]) => {
    const token = good(claims);
    await using endpoint = await startEndpoint((response) =>
      response.writeHead(200, { 'metadata-flavor': 'Google' }).end(JSON.stringify({ value: token, token })),
    );
    await using metadata = await startEndpoint((response) =>
      response.writeHead(200, { 'metadata-flavor': 'Google' }).end(token),
    );
    await using agent = await startAgent((stream) => reply(stream, svidResponse(['spiffe://example.org/job', token])));
    await using program = await withProgram('circleci', `echo ${token}`);
    const tokenFile = join(directory, 'mounted');
    await writeFile(tokenFile, token);
    const environments: readonly Record<string, string>[] = [
      { SIGSTORE_ID_TOKEN: token },
      { SIGSTORE_ID_TOKEN: token, GITLAB_CI: 'true' },
      { ACTIONS_ID_TOKEN_REQUEST_URL: endpoint.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer' },
      { BUILDKITE_AGENT_ACCESS_TOKEN: 'bearer', BUILDKITE_JOB_ID: '1', BUILDKITE_AGENT_ENDPOINT: endpoint.url },
      { CIRCLECI: 'true', CIRCLE_OIDC_TOKEN_V2: 'x', PATH: program.path },
      { SPIFFE_ENDPOINT_SOCKET: agent.endpoint },
      { GCE_METADATA_HOST: metadata.host },
    ];
    const refused = { code: 'TOKEN_INVALID', message: expect.stringMatching(message) as string };
    for (const env of environments)
      await expect(obtainIdentityToken({}, { ...context, env })).rejects.toMatchObject(refused);
    await expect(obtainIdentityToken({ tokenFile }, context)).rejects.toMatchObject(refused);
    await expect(obtainIdentityToken({ providers: [fileProvider(tokenFile)] }, context)).rejects.toMatchObject(refused);
  });

  test('its audience is the client ID, when one is given', async () => {
    const token = good({ aud: 'my-client' });
    expect((await obtainIdentityToken({ token, clientId: 'my-client' }, context)).audience).toEqual(['my-client']);
    await expect(obtainIdentityToken({ token }, context)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  test('what is neither a token nor a file is refused, and not repeated', async () => {
    const found = obtainIdentityToken({ token: 'ghp_0123456789' }, context);
    await expect(found).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    await expect(found).rejects.not.toMatchObject({ message: expect.stringContaining('ghp_') as string });
  });
});

describe('what is asked for', () => {
  const env = { SIGSTORE_ID_TOKEN: tokenOf('environment') };

  test('may leave the surroundings out', async () => {
    const found = obtainIdentityToken({ disableAmbient: true }, { ...context, env });
    await expect(found).rejects.toMatchObject({
      code: 'TOKEN_MISSING',
      message: expect.stringContaining('ambient providers are disabled') as string,
    });
  });

  test.for<[string, Parameters<typeof obtainIdentityToken>[0]]>([
    ['a token and a file', { token: 'a', tokenFile: 'b' }],
    ['a token and a provider', { token: 'a', provider: 'envvar' }],
    ['a file and a flow', { tokenFile: 'a', flow: 'device' }],
    ['a provider and a flow', { provider: 'envvar', flow: 'normal' }],
    ['a provider and none', { provider: 'envvar', disableAmbient: true }],
    ['client credentials without a secret', { flow: 'client_credentials', issuer: 'https://issuer.example' }],
    ['a flow without an issuer', { flow: 'device' }],
    ['a provider that does not exist', { provider: 'azure' }],
  ])('may not be %s', async ([, options]) => {
    await expect(obtainIdentityToken(options, { ...context, env })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('signing in', () => {
  const live = (onStep: (message: string) => void): Context =>
    testContext({ now: () => new Date(), emit: (event) => void (event.kind === 'step' && onStep(event.message)) });
  const visit = (message: string): void => {
    const address = /open (\S+) in a browser/.exec(message)?.[1];
    if (address !== undefined) void fetch(address).then((response) => response.text());
  };
  /** No provider of the machine the test runs on. */
  const providers = [environment];

  test('is the last resort when a person is there', async () => {
    await using server = await startOidcServer();
    const token = await obtainIdentityToken({ providers, interactive: true, issuer: server.url }, live(visit));
    expect(token).toMatchObject({ identity: 'dev@example.org', issuer: server.url, origin: 'the browser' });
  });

  test.for([{ interactive: false }, { interactive: true, flow: 'token' }] as const)(
    'is not tried with %o',
    async (how) => {
      const found = obtainIdentityToken({ providers, issuer: 'http://127.0.0.1:1', ...how }, live(visit));
      await expect(found).rejects.toMatchObject({
        code: 'TOKEN_MISSING',
        hint: expect.stringContaining('--fulcio-auth-flow') as string,
      });
    },
  );

  test('goes before the surroundings when it was asked for', async () => {
    await using server = await startOidcServer();
    const surroundings = { ...live(visit), env: { SIGSTORE_ID_TOKEN: good({}) } };
    const token = await obtainIdentityToken({ flow: 'device', issuer: server.url }, surroundings);
    expect(token.origin).toBe('the device flow');
  });

  test('works with client credentials from a file', async () => {
    await using server = await startOidcServer({ clientSecret: 'hush-hush' });
    const clientSecretFile = join(directory, 'secret');
    await writeFile(clientSecretFile, 'hush-hush\n');
    const options = { flow: 'client_credentials', issuer: server.url, clientSecretFile } as const;
    expect((await obtainIdentityToken(options, live(visit))).origin).toBe('client credentials');
  });

  test('gives no token for another audience than the client ID', async () => {
    await using server = await startOidcServer({
      clientSecret: 'hush-hush',
      onTokens: (answer) => {
        delete answer['id_token'];
        answer['access_token'] = good({ aud: 'some-api', exp: 4_000_000_000 });
      },
    });
    const clientSecretFile = join(directory, 'secret');
    await writeFile(clientSecretFile, 'hush-hush\n');
    const options = { flow: 'client_credentials', issuer: server.url, clientSecretFile } as const;
    await expect(obtainIdentityToken(options, live(visit))).rejects.toThrow(/meant for "some-api"/);
  });
});

function actionsEnv(path: string, bearer = 'hush'): Record<string, string> {
  return { ACTIONS_ID_TOKEN_REQUEST_URL: `${actions.url}${path}`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer };
}

function tokenOf(sub: string): string {
  const exp = context.now().getTime() / 1000 + 300;
  return new UnsecuredJWT({ iss: 'https://issuer.example', sub, aud: 'sigstore', exp }).encode();
}
