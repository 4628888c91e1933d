import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { boltseal } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { buildImage, buildLayer, writeLayout } from '../support/image-builder.ts';
import { freePort, missingTools, mustRun, startServer, temporaryFolder } from '../support/tools.ts';

const CERTIFICATE = join(import.meta.dirname, '../fixtures/tls/localhost.crt');
const KEY = join(import.meta.dirname, '../fixtures/tls/localhost.key');
const PASSWORD = randomBytes(12).toString('hex');

/** The `auth` section of a registry's configuration, and what else it needs to run. */
type Auth = (folder: string) => Promise<string>;

const htpasswd: Auth = (folder) => {
  const path = join(folder, 'htpasswd');
  writeFileSync(path, mustRun('htpasswd', ['-Bbn', 'alice', PASSWORD]));
  return Promise.resolve(`auth: {htpasswd: {realm: test, path: ${path}}}`);
};

/** A token server as distribution's token specification describes it, in front of the registry. */
const tokens: Auth = async () => {
  const key = createPrivateKey(readFileSync(KEY));
  const chain = [new X509Certificate(readFileSync(CERTIFICATE)).raw.toString('base64')];
  const algorithm = key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
  const server = createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, (request, response) => {
    const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
    if (basic !== `alice:${PASSWORD}`) {
      response.writeHead(401).end();
      return;
    }
    const { searchParams } = new URL(request.url ?? '', 'https://localhost');
    const access = searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    void new SignJWT({ access, jti: randomBytes(8).toString('hex') })
      .setProtectedHeader({ alg: algorithm, x5c: chain })
      .setIssuer('test')
      .setSubject('alice')
      .setAudience('registry')
      .setIssuedAt()
      .setNotBefore('-10s')
      .setExpirationTime('5m')
      .sign(key)
      .then((token) => response.end(JSON.stringify({ token, expires_in: 300 })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const realm = `https://localhost:${(server.address() as AddressInfo).port}/token`;
  return `auth: {token: {realm: "${realm}", service: registry, issuer: test, rootcertbundle: ${CERTIFICATE}}}`;
};

async function startSecured(folder: string, auth: Auth): Promise<string> {
  const port = await freePort();
  const config = join(folder, 'registry.yml');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    config,
    [
      'version: 0.1',
      'log: {level: error, accesslog: {disabled: true}}',
      `storage: {filesystem: {rootdirectory: ${join(folder, 'store')}}}`,
      `http: {addr: "127.0.0.1:${port}", tls: {certificate: ${CERTIFICATE}, key: ${KEY}}}`,
      await auth(folder),
    ].join('\n'),
  );
  await startServer('docker-registry', ['serve', config], { port });
  return `localhost:${port}`;
}

const missing = missingTools('a registry with TLS and passwords', 'docker-registry', 'htpasswd');

describe.skipIf(missing).each([
  { name: 'htpasswd', auth: htpasswd },
  { name: 'a token server', auth: tokens },
])('docker-registry with TLS and $name', ({ auth }) => {
  test('is logged in to, sealed at and verified at; a wrong password is refused and stores nothing', async () => {
    const folder = temporaryFolder();
    const host = await startSecured(join(folder, 'registry'), auth);
    const sandbox = await startSandbox({}, testContext({ now: () => new Date() }));
    onTestFinished(() => sandbox[Symbol.asyncDispose]());
    const env = { ...sandbox.environment, DOCKER_CONFIG: join(folder, 'docker') };
    const run = (argv: readonly string[], stdin = '') => boltseal([...argv, '--ca-file', CERTIFICATE], { env, stdin });
    const login = (password: string) => run(['login', host, '--username', 'alice', '--password-stdin'], password);
    const layout = join(folder, 'layout');
    writeLayout(layout, [{ image: buildImage({ layers: [buildLayer([{ path: 'a', body: 'b' }])] }), tag: 'v1' }]);
    const image = `${host}/team/app:v1`;

    expect(await login('wrong')).toMatchObject({ exitCode: 3 });
    expect(await run(['copy', `oci:${layout}:v1`, image])).toMatchObject({ exitCode: 3 });
    expect(await login(PASSWORD)).toMatchObject({ exitCode: 0 });
    expect(await run(['copy', `oci:${layout}:v1`, image])).toMatchObject({ exitCode: 0 });
    expect(await run(['seal', image])).toMatchObject({ exitCode: 0 });
    const signer = ['--certificate-identity', sandbox.identity, '--certificate-oidc-issuer', sandbox.issuer];
    expect(await run(['verify', image, ...signer])).toMatchObject({ exitCode: 0 });
    expect(await boltseal(['verify', image, ...signer], { env })).toMatchObject({ exitCode: 3 });
  });
});
