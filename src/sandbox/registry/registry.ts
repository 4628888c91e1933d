import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { json, type Route, type SandboxReply, type SandboxRequest } from '../http/message.ts';
import { serve, type Service } from '../http/server.ts';
import { blobRoutes } from './blob-routes.ts';
import { openBlobStore } from './blob-store.ts';
import type { ActiveFault } from './faults/fault.ts';
import { FAULTS, type FaultName } from './faults/faults.ts';
import { listRoutes } from './list-routes.ts';
import { manifestRoutes } from './manifest-routes.ts';
import { manifestStore } from './manifest-store.ts';
import { registryReply } from './registry-error.ts';
import { uploadRoutes } from './upload-routes.ts';
import { openUploads } from './uploads.ts';

interface RegistryOptions {
  /** Where blobs are kept; the caller removes it. */
  readonly directory: string;
  readonly port: number;
  readonly referrersApi?: boolean;
  readonly referrersPerPage?: number;
  /** What it does wrong, or to attack; the first named is the outermost. None unless told. */
  readonly faults?: readonly FaultName[];
}

/** The limit of the registries people use most; clients that do not follow Link see no more than this. */
const REFERRERS_PER_PAGE = 1000;

/** An OCI registry: distribution-spec 1.1.1, all four categories, without authentication. */
export async function startRegistry(options: RegistryOptions, context: Context): Promise<Service> {
  const { port, faults = [] } = options;
  const honest = await storage(options.directory);
  if (faults.length === 0) return serve({ name: 'registry', port, routes: () => honest(options) }, context);
  await using started = new AsyncDisposableStack();
  const elsewhere = started.use(
    await serve(
      { name: 'registry storage', port: 0, routes: () => honest(options), around: withoutCredentials },
      context,
    ),
  );
  const active: ActiveFault[] = [];
  const registry = started.use(
    await serve(
      {
        name: 'registry',
        port,
        routes: (url) => {
          const place = { url, elsewhere: elsewhere.url, now: context.now };
          active.push(...faults.map((name) => FAULTS[name].start(place)));
          const settings = Object.assign({}, ...active.map((fault) => fault.settings)) as ActiveFault['settings'];
          return [...active.flatMap((fault) => fault.routes ?? []), ...honest({ ...options, ...settings })];
        },
        around: (request, next) =>
          active.reduceRight<() => Promise<SandboxReply>>(
            (inner, { answer }) => (answer === undefined ? inner : async () => answer(request, inner)),
            next,
          )(),
      },
      context,
    ),
  );
  const running = started.move();
  return { ...registry, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

type Settings = Pick<RegistryOptions, 'referrersApi' | 'referrersPerPage'>;

/** Routes that do what the specification says; all that are made here see the same content. */
async function storage(directory: string): Promise<(settings: Settings) => readonly Route[]> {
  const blobs = await openBlobStore(join(directory, 'blobs'));
  const uploads = await openUploads(join(directory, 'uploads'));
  const manifests = manifestStore();
  return ({ referrersApi = true, referrersPerPage = REFERRERS_PER_PAGE }) => [
    { methods: ['GET', 'HEAD'], path: /^\/v2\/?$/, answer: () => json(200, {}, API_VERSION) },
    ...uploadRoutes({ blobs, uploads }),
    ...blobRoutes(blobs),
    ...manifestRoutes({ blobs, manifests, referrersApi }),
    ...listRoutes({ manifests, referrersApi, referrersPerPage }),
  ];
}

/** Cloud storage takes an address with a signature in it, and refuses a second way of being authorized. */
function withoutCredentials(
  { headers }: SandboxRequest,
  next: () => Promise<SandboxReply>,
): Promise<SandboxReply> | SandboxReply {
  const brings = headers.authorization !== undefined || headers.cookie !== undefined;
  return brings ? registryReply('UNSUPPORTED', 'credentials have no business here', { status: 400 }) : next();
}

const API_VERSION = { 'docker-distribution-api-version': 'registry/2.0' };
