import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { testContext } from '../support/context.ts';
import type { BenchOptions } from './options.ts';
import { boltseal, installed, push, randomImage } from './contenders.ts';
import { startDelayingProxy, type DelayingProxy } from './delaying-proxy.ts';
import { measureProcess, type Program } from './measure-process.ts';
import { printRace, race, type Racer } from './race.ts';
import { startRegistryServer } from './registry-server.ts';

interface Scene {
  readonly proxy: DelayingProxy;
  readonly other: DelayingProxy;
  readonly tools: ReadonlySet<string>;
  readonly folder: string;
  readonly sandbox: Sandbox;
  /** `digest` of the image that is signed and has three things attached. */
  readonly sealed: string;
  readonly latencyMs: number;
}

const ARTIFACT_TYPE = 'application/vnd.example.report';
const LATENCIES_MS = [0, 50];
const LAYERS = 20;

/** Requests and time of what is asked of a registry, beside the tools that ask the same. */
export async function registry({ runs }: BenchOptions): Promise<void> {
  await using server = await startRegistryServer();
  await using second = await startRegistryServer();
  await using proxy = await startDelayingProxy(server.host);
  await using other = await startDelayingProxy(second.host);
  await using sandbox = await startSandbox({}, testContext({ now: () => new Date() }));
  const folder = mkdtempSync(join(tmpdir(), 'boltseal-bench-'));
  try {
    const tools = installed('oras', 'regctl', 'crane', 'cosign');
    writeFileSync(join(folder, 'report.json'), '{}');
    const sealed = await prepareImages(proxy.host, join(folder, 'report.json'), sandbox);
    for (const latencyMs of LATENCIES_MS) {
      const scene: Scene = { proxy, other, tools, folder, sandbox, sealed, latencyMs };
      for (const [what, racers] of Object.entries(RACES)) {
        const results = await race(racers(scene), { runs, latencyMs, proxies: [proxy, other] });
        printRace(`${what}: registry ${server.name}, ${latencyMs} ms of latency, median of ${runs}`, results);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepareImages(host: string, file: string, { environment }: Sandbox): Promise<string> {
  await push([randomImage({ layers: LAYERS, layerBytes: 256 * 1024 })], `${host}/copied`);
  const sealed = randomImage({ layers: 1, layerBytes: 1024 });
  await push([sealed], `${host}/sealed`);
  for (const letter of ['a', 'b', 'c'])
    await measureProcess(
      boltseal(['attach', '--artifact-type', `${ARTIFACT_TYPE}.${letter}`, `${host}/sealed:0`, file]),
    );
  await measureProcess(boltseal(['sign', `${host}/sealed:0`], environment));
  return sealed.digest;
}

const RACES: Readonly<Record<string, (scene: Scene) => readonly Racer[]>> = {
  'attach a file': attaching,
  'discover four referrers': discovering,
  'verify one signed image by digest': verifying,
  [`copy ${LAYERS} layers to another registry`]: (scene) => copying(scene, scene.other.host),
  [`copy ${LAYERS} layers to another repository`]: (scene) => copying(scene, scene.proxy.host),
};

/** Every round attaches to an image that has nothing yet: what is there already is read by some. */
function attaching({ proxy: { host }, tools, folder, latencyMs }: Scene): readonly Racer[] {
  const fresh = async (name: string, round: number): Promise<string> => {
    const repository = `${host}/attach-${name}-${latencyMs}-${round + 1}`;
    await push([randomImage({ layers: 1, layerBytes: 64 })], repository);
    return `${repository}:0`;
  };
  const file = join(folder, 'report.json');
  return chosen(tools, {
    boltseal: async (round) =>
      boltseal(['attach', '--artifact-type', ARTIFACT_TYPE, await fresh('boltseal', round), file]),
    oras: async (round) => {
      const image = await fresh('oras', round);
      return tool(
        'oras',
        'attach',
        '--disable-path-validation',
        '--plain-http',
        '--artifact-type',
        ARTIFACT_TYPE,
        image,
        file,
      );
    },
    regctl: async (round) => {
      const image = await fresh('regctl', round);
      return regctl([host], 'artifact', 'put', '--artifact-type', ARTIFACT_TYPE, '--subject', image, '-f', file);
    },
  });
}

function discovering({ proxy: { host }, tools, sealed }: Scene): readonly Racer[] {
  const image = `${host}/sealed@${sealed}`;
  return chosen(tools, {
    boltseal: () => boltseal(['discover', image]),
    oras: () => tool('oras', 'discover', '--plain-http', image),
    regctl: () => regctl([host], 'artifact', 'list', image),
  });
}

function verifying({ proxy: { host }, tools, sealed, sandbox }: Scene): readonly Racer[] {
  const image = `${host}/sealed@${sealed}`;
  const signer = ['--certificate-identity', sandbox.identity, '--certificate-oidc-issuer', sandbox.issuer];
  const trust = ['--trusted-root', sandbox.trustedRootPath];
  return chosen(tools, {
    boltseal: () => boltseal(['verify', ...trust, ...signer, image]),
    cosign: () => tool('cosign', 'verify', '--allow-http-registry', ...trust, ...signer, image),
  });
}

function copying({ proxy: { host }, tools, latencyMs }: Scene, to: string): readonly Racer[] {
  const from = `${host}/copied:0`;
  const fresh = (name: string, round: number): string => `${to}/copy-${name}-${latencyMs}-${round + 1}:0`;
  const oras = ['cp', '--from-plain-http', '--to-plain-http'];
  return chosen(tools, {
    boltseal: (round) => boltseal(['copy', from, fresh('boltseal', round)]),
    'boltseal --no-referrers': (round) => boltseal(['copy', '--no-referrers', from, fresh('boltseal-plain', round)]),
    oras: (round) => tool('oras', ...oras, from, fresh('oras', round)),
    'oras -r': (round) => tool('oras', ...oras, '-r', from, fresh('oras-r', round)),
    regctl: (round) => regctl([host, to], 'image', 'copy', from, fresh('regctl', round)),
    'regctl --referrers': (round) =>
      regctl([host, to], 'image', 'copy', '--referrers', '--digest-tags', from, fresh('regctl-r', round)),
    crane: (round) => tool('crane', 'copy', '--insecure', from, fresh('crane', round)),
  });
}

/** Rows whose first word is boltseal or a tool that is there. */
function chosen(tools: ReadonlySet<string>, rows: Readonly<Record<string, Racer['prepare']>>): readonly Racer[] {
  return Object.entries(rows)
    .filter(([name]) => name.startsWith('boltseal') || tools.has(name.split(' ')[0] ?? ''))
    .map(([name, prepare]) => ({ name, prepare }));
}

function tool(command: string, ...args: readonly string[]): Program {
  return { name: command, command, args };
}

function regctl(hosts: readonly string[], ...args: readonly string[]): Program {
  return tool('regctl', ...hosts.flatMap((host) => ['--host', `reg=${host},tls=disabled`]), ...args);
}
