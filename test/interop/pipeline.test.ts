import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { boltseal } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { buildImage, buildLayer, writeLayout } from '../support/image-builder.ts';
import { pushLayout } from '../support/push.ts';
import { missingTools, mustRun, runTool, temporaryFolder } from '../support/tools.ts';
import { startDockerRegistry, startOlareg } from './registries.ts';

const REGISTRIES = [
  { name: 'docker-registry, without the referrers API', tool: 'docker-registry', start: startDockerRegistry },
  { name: 'olareg, with the referrers API', tool: 'olareg', start: startOlareg },
];

async function startServices(): Promise<Sandbox> {
  const sandbox = await startSandbox({}, testContext({ now: () => new Date() }));
  onTestFinished(() => sandbox[Symbol.asyncDispose]());
  return sandbox;
}

function writePolicy(folder: string, host: string, { issuer, identity }: Sandbox): string {
  const path = join(folder, 'policy.yaml');
  writeFileSync(
    path,
    `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata: { name: interop }
images: ["${host}/**"]
signers:
  release: { keyless: { issuer: "${issuer}", identity: "${identity}" } }
require:
  - { id: signed, signature: { by: release } }
  - { id: sbom, attestation: { type: cyclonedx, by: release } }
  - { id: clean, sbom: { from: sbom, deny: ["pkg:deb/debian/telnetd"] } }
`,
  );
  return path;
}

describe.each(REGISTRIES)('$name', ({ tool, start }) => {
  const missing = missingTools(`seal, discover and verify at ${tool}`, tool);

  test.skipIf(missing)('an image is sealed, discovered and allowed; another push to its tag is denied', async () => {
    const folder = temporaryFolder();
    const [sandbox, host] = [await startServices(), await start(folder)];
    const env = sandbox.environment;
    const policy = writePolicy(folder, host, sandbox);
    const push = async (text: string): Promise<string> => {
      const layout = join(folder, `layout-${text}`);
      const layer = buildLayer([
        { path: 'etc/os-release', body: 'ID=debian\nVERSION_ID="12"\n' },
        { path: 'etc/text', body: text },
      ]);
      writeLayout(layout, [{ image: buildImage({ layers: [layer] }), tag: 'v1' }]);
      return pushLayout(layout, `${host}/team/app:v1`);
    };
    const image = await push('one');
    expect(await boltseal(['verify', image, '--policy', policy], { env })).toMatchObject({ exitCode: 1 });
    expect(await boltseal(['seal', image], { env })).toMatchObject({ exitCode: 0 });
    const discovered = await boltseal(['discover', image], { env });
    expect(discovered.stdout).toMatch(/signature[\s\S]*cyclonedx|cyclonedx[\s\S]*signature/);
    expect(await boltseal(['verify', image, '--policy', policy], { env })).toMatchObject({ exitCode: 0 });
    await push('two');
    expect(await boltseal(['verify', image, '--policy', policy], { env })).toMatchObject({ exitCode: 1 });
  });
});

test.skipIf(missingTools('a real Debian image', 'mmdebstrap', 'umoci', 'skopeo', 'docker-registry', 'dpkg-query'))(
  'a Debian root packed by umoci and pushed by skopeo has exactly the packages dpkg-query lists, and is sealed and verified',
  async () => {
    const folder = temporaryFolder();
    const root = join(folder, 'root');
    mustRun('mmdebstrap', ['--variant=minbase', '--quiet', 'bookworm', root]);
    const layout = join(folder, 'layout');
    mustRun('umoci', ['init', '--layout', layout]);
    mustRun('umoci', ['new', '--image', `${layout}:v1`]);
    mustRun('umoci', ['insert', '--image', `${layout}:v1`, root, '/']);
    const [sandbox, host] = [await startServices(), await startDockerRegistry(join(folder, 'registry'))];
    const image = `${host}/debian/minbase:v1`;
    mustRun('skopeo', ['copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${image}`]);

    const env = sandbox.environment;
    const sbom = await boltseal(['sbom', image], { env });
    expect(sbom).toMatchObject({ exitCode: 0 });
    const { components } = JSON.parse(sbom.stdout) as {
      components: readonly { readonly purl?: string; readonly name: string; readonly version: string }[];
    };
    const found = components
      .filter(({ purl }) => purl?.startsWith('pkg:deb/') === true)
      .map(({ purl = '', name, version }) => `${name} ${version} ${new URL(purl).searchParams.get('arch') ?? ''}`);
    const format = '${binary:Package} ${Version} ${Architecture}\n';
    const listed = mustRun('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '-W', '-f', format])
      .trim()
      .split('\n');
    const expected = listed.map((line) => line.replace(/^([^ ]+):\w+ /, '$1 '));
    expect(expected.length).toBeGreaterThan(50);
    expect(found.toSorted()).toEqual(expected.toSorted());

    expect(await boltseal(['seal', image], { env })).toMatchObject({ exitCode: 0 });
    expect(await boltseal(['verify', image, '--policy', writePolicy(folder, host, sandbox)], { env })).toMatchObject({
      exitCode: 0,
    });
  },
);

test.skipIf(missingTools('what oras sees', 'oras', 'olareg', 'docker-registry'))(
  'oras discovers what boltseal attached, with and without the API',
  async () => {
    for (const { start } of REGISTRIES) {
      const folder = temporaryFolder();
      const [sandbox, host] = [await startServices(), await start(folder)];
      const layout = join(folder, 'layout');
      writeLayout(layout, [{ image: buildImage({ layers: [buildLayer([{ path: 'a', body: 'b' }])] }), tag: 'v1' }]);
      const image = await pushLayout(layout, `${host}/team/app:v1`);
      expect(await boltseal(['sign', image], { env: sandbox.environment })).toMatchObject({ exitCode: 0 });
      const { stdout, stderr } = runTool('oras', ['discover', '--plain-http', '--format', 'json', image]);
      expect(stdout + stderr).toContain('application/vnd.dev.sigstore.bundle.v0.3+json');
    }
  },
);
