import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../src/base/context.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { openSource } from '../../src/source/open.ts';
import { isWritable, type WritableSource } from '../../src/source/source.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { boltseal, type Ran } from './cli.ts';
import { testContext } from './context.ts';
import { buildImage, buildLayer, writeLayout, type BuiltImage } from './image-builder.ts';
import { pushLayout } from './push.ts';

/** A sandbox that keeps a list of what it was asked, and the command line in it. */
export interface SigningSandbox extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** For files of the test; gone with the sandbox. */
  readonly folder: string;
  /** "registry: GET /v2/… → 200", oldest first. Emptied by whoever counts. */
  readonly asked: string[];
  readonly run: (...argv: readonly string[]) => Promise<Ran>;
  /** Pushes an image that differs by its name and returns the reference. */
  readonly push: (name: string, image?: BuiltImage) => Promise<string>;
  readonly open: (image: string) => Promise<WritableSource>;
  /** Manifests of what refers to the image. */
  readonly referrers: (image: string, digest?: Digest) => Promise<readonly Digest[]>;
}

export async function startSigningSandbox(options: Parameters<typeof startSandbox>[0] = {}): Promise<SigningSandbox> {
  const asked: string[] = [];
  const emit: Context['emit'] = (event) => {
    if (event.kind === 'detail' && event.message.startsWith('sandbox ')) asked.push(event.message.slice(8));
  };
  const sandbox = await startSandbox(options, testContext({ now: () => new Date(), emit }));
  const folder = mkdtempSync(join(tmpdir(), 'boltseal-test-'));
  const open = async (image: string): Promise<WritableSource> => {
    const source = await openSource(parseReference(image), {}, testContext({ now: () => new Date() }));
    if (!isWritable(source)) throw new Error(`${image} cannot be written to`);
    return source;
  };
  return {
    sandbox,
    folder,
    asked,
    open,
    run: (...argv) => boltseal(argv, { env: sandbox.environment }),
    async push(name, image = buildImage({ layers: [buildLayer([{ path: 'name', body: name }])] })) {
      const layout = join(folder, name);
      writeLayout(layout, [{ image, tag: 'v1' }]);
      return pushLayout(layout, `${sandbox.registry}/app/${name}:v1`);
    },
    async referrers(image, digest) {
      await using source = await open(image);
      return (await source.listReferrers(digest ?? (await source.resolve()))).map((entry) => entry.digest);
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
