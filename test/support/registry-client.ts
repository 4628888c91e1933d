import { EMPTY_DESCRIPTOR } from '../../src/oci/manifest.ts';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';

/** The bare requests of the distribution specification against one repository, for tests of registries. */
export interface RegistryClient {
  readonly send: (method: string, path: string, options?: SendOptions) => Promise<Response>;
  readonly pushBlob: (bytes: Uint8Array | string) => Promise<Digest>;
  readonly pushManifest: (manifest: object, options?: PushOptions) => Promise<PushResult>;
}

interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
}

interface PushOptions {
  readonly reference?: string;
  readonly contentType?: string;
}

interface PushResult {
  readonly response: Response;
  readonly digest: Digest;
  readonly bytes: string;
}

export function registryClient(url: string, repository: string): RegistryClient {
  const send: RegistryClient['send'] = async (method, path, options = {}) =>
    fetch(new URL(path, `${url}/v2/${repository}/`), { method, redirect: 'error', ...options });
  return {
    send,
    async pushBlob(bytes) {
      const body = typeof bytes === 'string' ? bytes : Uint8Array.from(bytes);
      const digest = digestOf(bytes);
      await send('POST', `blobs/uploads/?digest=${digest}`, { body });
      return digest;
    },
    async pushManifest(manifest, options = {}) {
      const bytes = JSON.stringify(manifest);
      const digest = digestOf(bytes);
      const type = 'mediaType' in manifest ? String(manifest.mediaType) : MEDIA_TYPES.ociManifest;
      const headers = { 'content-type': options.contentType ?? type };
      const response = await send('PUT', `manifests/${options.reference ?? digest}`, { headers, body: bytes });
      return { response, digest, bytes };
    },
  };
}

/** An artifact of the empty config and layer (image-spec 1.1.1, "Guidelines for Artifact Usage"), and whatever else. */
export function artifact(fields: object = {}): object {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: 'application/vnd.example',
    config: EMPTY_DESCRIPTOR,
    layers: [EMPTY_DESCRIPTOR],
    ...fields,
  };
}
