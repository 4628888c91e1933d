import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { testContext } from '../support/context.ts';
import { boltseal, installed, push, randomImage } from './contenders.ts';
import { startDelayingProxy, type DelayingProxy } from './delaying-proxy.ts';
import type { Program } from './measure-process.ts';
import type { BenchOptions } from './options.ts';
import { printRace, race, type Racer } from './race.ts';
import { startRegistryServer } from './registry-server.ts';

interface Scene {
  readonly host: string;
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly signingConfigPath: string;
  readonly hasCosign: boolean;
}

const LATENCIES_MS = [0, 50];

/**
 * Keyless signing, and verifying what was signed, beside cosign: one image a command, and many. All is behind proxies,
 * the registry and the Sigstore services, so that every request is counted and slowed.
 */
export async function sigstore({ runs, images }: BenchOptions): Promise<void> {
  await using open = new AsyncDisposableStack();
  const server = open.use(await startRegistryServer());
  const sandbox = open.use(await startSandbox({}, testContext({ now: () => new Date() })));
  const registryProxy = open.use(await startDelayingProxy(server.host));
  const folder = mkdtempSync(join(tmpdir(), 'boltseal-bench-'));
  open.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { path, proxies } = await proxySigningConfig(sandbox, folder);
  for (const proxy of proxies) open.use(proxy);
  const hasCosign = installed('cosign').has('cosign');
  const scene = { host: registryProxy.host, sandbox, folder, signingConfigPath: path, hasCosign };
  for (const count of [1, images]) {
    for (const latencyMs of LATENCIES_MS) {
      const rounds = count === 1 ? { runs } : { runs: Math.min(runs, 3), warmUp: false };
      const where = `registry ${server.name}, ${latencyMs} ms of latency, median of ${rounds.runs}`;
      const options = { ...rounds, latencyMs, proxies: [registryProxy, ...proxies] };
      const what = count === 1 ? 'one image' : `${count} images in one command`;
      printRace(`sign ${what}: ${where}`, await race(signing(scene, count), options));
      printRace(`verify ${what}: ${where}`, await race(await verifying(scene, count), options));
    }
  }
}

/** The sandbox's signing configuration with a proxy before each of its services. */
async function proxySigningConfig(
  { signingConfigPath }: Sandbox,
  folder: string,
): Promise<{ readonly path: string; readonly proxies: readonly DelayingProxy[] }> {
  let config = readFileSync(signingConfigPath, 'utf8');
  const proxies: DelayingProxy[] = [];
  for (const origin of new Set(config.match(/127\.0\.0\.1:\d+/g))) {
    const proxy = await startDelayingProxy(origin, { rewritesHost: true });
    proxies.push(proxy);
    config = config.replaceAll(`http://${origin}`, `http://${proxy.host}`);
  }
  const path = join(folder, 'signing_config.json');
  writeFileSync(path, config);
  return { path, proxies };
}

function signing(scene: Scene, count: number): readonly Racer[] {
  const { boltsealSign, cosignSign } = programs(scene);
  return [
    { name: 'boltseal sign', prepare: async () => boltsealSign(await freshImages(scene, count)) },
    ...(scene.hasCosign
      ? [{ name: 'cosign sign', prepare: async () => cosignSign(await freshImages(scene, count)) }]
      : []),
  ];
}

/** Both verify the same images, signed by boltseal. */
async function verifying(scene: Scene, count: number): Promise<readonly Racer[]> {
  const { boltsealSign, boltsealVerify, cosignVerify } = programs(scene);
  const images = await freshImages(scene, count);
  const setUp: Racer = { name: 'sign', prepare: () => boltsealSign(images) };
  await race([setUp], { runs: 1, warmUp: false });
  return [
    { name: 'boltseal verify', prepare: () => boltsealVerify(images) },
    ...(scene.hasCosign ? [{ name: 'cosign verify', prepare: () => cosignVerify(images) }] : []),
  ];
}

type ForImages = (images: readonly string[]) => Program;

function programs({
  sandbox,
  signingConfigPath,
}: Scene): Readonly<Record<'boltsealSign' | 'boltsealVerify' | 'cosignSign' | 'cosignVerify', ForImages>> {
  const token = sandbox.environment['SIGSTORE_ID_TOKEN'] ?? '';
  const trust = ['--trusted-root', sandbox.trustedRootPath];
  const config = ['--signing-config', signingConfigPath];
  const signer = ['--certificate-identity', sandbox.identity, '--certificate-oidc-issuer', sandbox.issuer];
  const cosign = (verb: string, ...args: readonly string[]): Program => ({
    name: `cosign ${verb}`,
    command: 'cosign',
    args: [verb, '--allow-http-registry', ...trust, ...args],
  });
  return {
    boltsealSign: (images) => boltseal(['sign', ...config, ...images], { SIGSTORE_ID_TOKEN: token }),
    boltsealVerify: (images) => boltseal(['verify', ...trust, ...signer, ...images]),
    cosignSign: (images) => cosign('sign', '-y', ...config, '--identity-token', token, ...images),
    cosignVerify: (images) => cosign('verify', ...signer, ...images),
  };
}

let repositories = 0;

/** Images that nobody signed yet, in a repository of their own. */
async function freshImages({ host }: Scene, count: number): Promise<readonly string[]> {
  repositories += 1;
  const repository = `${host}/signed${repositories}`;
  const images = Array.from({ length: count }, () => randomImage({ layers: 1, layerBytes: 64 }));
  await push(images, repository);
  return images.map(({ digest }) => `${repository}@${digest}`);
}
