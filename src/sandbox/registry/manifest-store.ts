import type { Digest } from '../../oci/digest.ts';
import type { Manifest } from '../../oci/manifest.ts';

/** A manifest, the bytes exactly as they were pushed. */
export interface PushedManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** Manifests and tags of every repository, in memory. */
export interface ManifestStore {
  readonly hasRepository: (name: string) => boolean;
  readonly repositories: () => readonly string[];
  readonly put: (name: string, pushed: PushedManifest, tags: readonly string[]) => void;
  /** By digest or tag. */
  readonly get: (name: string, digestOrTag: string) => PushedManifest | undefined;
  readonly removeTag: (name: string, tag: string) => boolean;
  /** Removes the manifest and the tags that point to it. */
  readonly removeManifest: (name: string, digest: string) => boolean;
  /** Sorted by code point. */
  readonly tags: (name: string) => readonly string[];
  /** In the order in which they were first pushed. */
  readonly manifests: (name: string) => readonly PushedManifest[];
}

interface Repository {
  readonly manifests: Map<string, PushedManifest>;
  readonly tags: Map<string, Digest>;
}

export function manifestStore(): ManifestStore {
  const repositories = new Map<string, Repository>();
  return {
    hasRepository: (name) => repositories.has(name),
    repositories: () => [...repositories.keys()].toSorted(),
    put(name, pushed, tags) {
      const repository = repositories.get(name) ?? { manifests: new Map(), tags: new Map() };
      repositories.set(name, repository);
      repository.manifests.set(pushed.digest, pushed);
      for (const tag of tags) repository.tags.set(tag, pushed.digest);
    },
    get(name, digestOrTag) {
      const repository = repositories.get(name);
      return repository?.manifests.get(repository.tags.get(digestOrTag) ?? digestOrTag);
    },
    removeTag: (name, tag) => repositories.get(name)?.tags.delete(tag) ?? false,
    removeManifest(name, digest) {
      const repository = repositories.get(name);
      if (repository?.manifests.delete(digest) !== true) return false;
      for (const [tag, target] of repository.tags) if (target === digest) repository.tags.delete(tag);
      return true;
    },
    tags: (name) => [...(repositories.get(name)?.tags.keys() ?? [])].toSorted(),
    manifests: (name) => [...(repositories.get(name)?.manifests.values() ?? [])],
  };
}
