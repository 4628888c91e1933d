import { describe, expect, test } from 'vitest';
import { boltseal } from '../support/cli.ts';
import { buildImage, buildLayer, writeLayout } from '../support/image-builder.ts';
import { pushLayout } from '../support/push.ts';
import { missingTools, temporaryFolder } from '../support/tools.ts';
import { startDockerRegistry, startOlareg } from './registries.ts';

interface Report {
  readonly answers: readonly { readonly feature: string; readonly answer: string }[];
  readonly leftovers: readonly string[];
  readonly nothingPushed?: string;
}

/** Pushes an image, so that the repository is there, probes it, and says what was found and what is left. */
async function probe(host: string): Promise<{ yes: readonly string[]; report: Report; tags: unknown }> {
  const layout = `${temporaryFolder()}/layout`;
  writeLayout(layout, [{ image: buildImage({ layers: [buildLayer([{ path: 'a', body: 'b' }])] }), tag: 'v1' }]);
  await pushLayout(layout, `${host}/acme/app:v1`);
  const ran = await boltseal(['registry', 'probe', `${host}/acme/app`, '--format', 'json']);
  expect(ran).toMatchObject({ exitCode: 0 });
  const report = JSON.parse(ran.stdout) as Report;
  const { tags } = (await (await fetch(`http://${host}/v2/acme/app/tags/list`)).json()) as { tags: unknown };
  return { yes: report.answers.filter(({ answer }) => answer === 'yes').map(({ feature }) => feature), report, tags };
}

describe('a probe of', () => {
  test.skipIf(missingTools('probe of docker-registry', 'docker-registry'))('docker-registry 2.8', async () => {
    const { yes, report, tags } = await probe(await startDockerRegistry(temporaryFolder()));
    expect(report).toMatchObject({ leftovers: [] });
    expect(tags).toEqual(['v1']);
    expect(yes).toEqual(['fallbackTag', 'deleteManifest', 'deleteBlob', 'mount', 'chunked', 'sha512', 'range']);
  });

  test.skipIf(missingTools('probe of olareg', 'olareg'))('olareg', async () => {
    const { yes, report, tags } = await probe(await startOlareg());
    expect(report).toMatchObject({ leftovers: [] });
    expect(tags).toEqual(['v1']);
    expect(yes).toEqual([
      'referrersApi',
      'ociSubject',
      'filter',
      'fallbackTag',
      'deleteManifest',
      'deleteTag',
      'deleteBlob',
      'mount',
      'singlePost',
      'chunked',
      'sha512',
      'range',
    ]);
  });
});
