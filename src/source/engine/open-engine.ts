import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { formatReference, type DaemonReference } from '../../oci/reference.ts';
import { openArchiveInput, type ArchiveSource } from '../archive.ts';
import { openEngineClient, type EngineClient } from './client.ts';
import { engineEndpoints } from './endpoint.ts';

/**
 * An image in a running Docker or Podman, by the Docker Engine API: what `docker save` would write is read as it streams, once
 * to list what is in it and once for its layers. Nothing is saved to a file. The name is looked up once; after that the image
 * is asked for by its identifier.
 *
 * @throws BoltsealError ENGINE_UNREACHABLE, ENGINE_ERROR, NOT_FOUND, USAGE, and what openArchive throws
 */
export async function openEngine(reference: DaemonReference, context: Context): Promise<ArchiveSource> {
  const client = await connect(reference, context);
  try {
    const imageId = await client.imageId(reference.name);
    const input = { kind: 'forward', name: formatReference(reference), open: () => client.save(imageId) } as const;
    const source = await openArchiveInput(reference, { input }, context);
    return {
      ...source,
      async [Symbol.asyncDispose]() {
        await source[Symbol.asyncDispose]();
        await client[Symbol.asyncDispose]();
      },
    };
  } catch (cause) {
    await client[Symbol.asyncDispose]();
    throw cause;
  }
}

/** The first place where an engine answers. */
async function connect({ engine, name }: DaemonReference, context: Context): Promise<EngineClient> {
  const tried: string[] = [];
  for (const endpoint of await engineEndpoints(engine, context)) {
    const client = openEngineClient(endpoint, context);
    const reason = await client.reach().catch(async (error: unknown) => {
      await client[Symbol.asyncDispose]();
      throw error;
    });
    if (reason === undefined) return client;
    await client[Symbol.asyncDispose]();
    tried.push(`${endpoint.address} (${reason})`);
  }
  const [variable, command] = engine === 'docker' ? ['DOCKER_HOST', 'docker'] : ['CONTAINER_HOST', 'podman'];
  throw new BoltsealError('ENGINE_UNREACHABLE', `no ${command} engine answers: tried ${tried.join(', ')}`, {
    hint: `Start it, or say where it is with ${variable}. Without it: ${command} save -o image.tar ${name}, then docker-archive:image.tar.`,
  });
}
