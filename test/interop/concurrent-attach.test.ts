import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boltseal } from '../support/cli.ts';
import { buildImage, buildLayer, writeLayout } from '../support/image-builder.ts';
import { pushLayout } from '../support/push.ts';
import { missingTools, temporaryFolder } from '../support/tools.ts';
import { startDockerRegistry } from './registries.ts';

const WRITERS = 64;

test.skipIf(missingTools('64 writers at once at a registry without the referrers API', 'docker-registry'))(
  'of 64 attaches at once from separate processes to a registry that ignores If-Match, none is lost',
  async () => {
    const folder = temporaryFolder();
    const host = await startDockerRegistry(join(folder, 'registry'));
    const layout = join(folder, 'layout');
    writeLayout(layout, [{ image: buildImage({ layers: [buildLayer([{ path: 'a', body: 'b' }])] }), tag: 'v1' }]);
    const image = await pushLayout(layout, `${host}/team/app:v1`);
    const attach = async (at: number): Promise<unknown> => {
      const file = join(folder, `note-${at}.txt`);
      writeFileSync(file, `note ${at}`);
      const words = ['src/bin.ts', '--quiet', 'attach', image, file, '--artifact-type', 'application/x-note'];
      const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    };
    const codes = await Promise.all(Array.from({ length: WRITERS }, (_, at) => attach(at)));
    expect(new Set(codes)).toEqual(new Set([0]));
    const { stdout } = await boltseal(['discover', image, '--format', 'json']);
    expect((JSON.parse(stdout) as { tree: { below: unknown[] } }).tree.below).toHaveLength(WRITERS);
  },
);
