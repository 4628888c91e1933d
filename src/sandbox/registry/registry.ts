import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { json } from '../http/message.ts';
import { serve, type Service } from '../http/server.ts';
import { blobRoutes } from './blob-routes.ts';
import { openBlobStore } from './blob-store.ts';
import { listRoutes } from './list-routes.ts';
import { manifestRoutes } from './manifest-routes.ts';
import { manifestStore } from './manifest-store.ts';
import { uploadRoutes } from './upload-routes.ts';
import { openUploads } from './uploads.ts';

interface RegistryOptions {
  /** Where blobs are kept; the caller removes it. */
  readonly directory: string;
  readonly port: number;
  readonly referrersApi?: boolean;
  readonly referrersPerPage?: number;
}

/** The limit of the registries people use most; clients that do not follow Link see no more than this. */
const REFERRERS_PER_PAGE = 1000;

/** An OCI registry: distribution-spec 1.1.1, all four categories, without authentication. */
export async function startRegistry(options: RegistryOptions, context: Context): Promise<Service> {
  const { directory, port, referrersApi = true, referrersPerPage = REFERRERS_PER_PAGE } = options;
  const blobs = await openBlobStore(join(directory, 'blobs'));
  const uploads = await openUploads(join(directory, 'uploads'));
  const manifests = manifestStore();
  const routes = [
    { methods: ['GET', 'HEAD'], path: /^\/v2\/?$/, answer: () => json(200, {}, API_VERSION) },
    ...uploadRoutes({ blobs, uploads }),
    ...blobRoutes(blobs),
    ...manifestRoutes({ blobs, manifests, referrersApi }),
    ...listRoutes({ manifests, referrersApi, referrersPerPage }),
  ];
  return serve({ name: 'registry', port, routes: () => routes }, context);
}

const API_VERSION = { 'docker-distribution-api-version': 'registry/2.0' };
