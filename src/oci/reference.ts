import { BoltsealError } from '../base/errors.ts';
import { parseDigest, type Digest } from './digest.ts';

/** An image in a registry. `tag` and `digest` may both be there; the digest then decides and the tag is a name for people. */
export interface RegistryReference {
  readonly kind: 'registry';
  /** Lower case, aliases resolved, `:443` removed: docker.io, ghcr.io, localhost:5000. */
  readonly host: string;
  /** Path within the registry; `library/` is written out for Docker Hub. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** An OCI image layout directory. Without tag or digest it must hold exactly one image. */
export interface LayoutReference {
  readonly kind: 'layout';
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** A tar (or gzipped tar) file holding an OCI layout or what `docker save` writes. Read only. */
export interface ArchiveReference {
  readonly kind: 'archive';
  readonly format: 'oci' | 'docker';
  readonly path: string;
  readonly tag?: string;
}

/** An image in a running engine, by its API. Read only. */
export interface DaemonReference {
  readonly kind: 'daemon';
  readonly engine: 'docker' | 'podman';
  readonly name: string;
}

/** A file-system root on disk. Read only. */
export interface DirectoryReference {
  readonly kind: 'directory';
  readonly path: string;
}

export type Reference = RegistryReference | LayoutReference | ArchiveReference | DaemonReference | DirectoryReference;

/** The kinds that can hold what refers to an image. */
export type WritableReference = RegistryReference | LayoutReference;

/** distribution-spec 1.1.1, "Pulling manifests": the two grammars. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;

/** Docker Hub answers to three names and one of them serves; this is the one people write. */
const HOST_ALIASES: Readonly<Record<string, string>> = {
  'index.docker.io': 'docker.io',
  'registry-1.docker.io': 'docker.io',
};

type Prefix = (rest: string) => Reference;

const PREFIXES: Readonly<Record<string, Prefix>> = {
  'oci:': (rest) => ({ kind: 'layout', ...splitPath(rest) }),
  'oci-archive:': (rest) => ({ kind: 'archive', format: 'oci', ...splitPath(rest) }),
  'docker-archive:': (rest) => ({ kind: 'archive', format: 'docker', ...splitPath(rest) }),
  'docker:': (rest) => ({ kind: 'daemon', engine: 'docker', name: notEmpty(rest) }),
  'podman:': (rest) => ({ kind: 'daemon', engine: 'podman', name: notEmpty(rest) }),
  'dir:': (rest) => ({ kind: 'directory', path: notEmpty(rest) }),
  'docker://': (rest) => parseRegistryReference(rest),
};

/**
 * Reads an IMAGE argument. Pure: whether a bare name is a file on disk is for `source/` to find out first.
 *
 * @throws BoltsealError REFERENCE_INVALID
 */
export function parseReference(text: string): Reference {
  const prefix = Object.keys(PREFIXES)
    .filter((candidate) => text.startsWith(candidate))
    .toSorted((a, b) => b.length - a.length)[0];
  return prefix === undefined ? parseRegistryReference(text) : (PREFIXES[prefix] as Prefix)(text.slice(prefix.length));
}

/** @throws BoltsealError REFERENCE_INVALID */
export function parseRegistryReference(text: string): RegistryReference {
  const [name, digestText] = splitOnce(text, '@');
  const digest = digestText === undefined ? undefined : parseDigest(digestText);
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  const tag = hasTag ? name.slice(colon + 1) : digest === undefined ? 'latest' : undefined;
  const { host, repository } = splitHost(hasTag ? name.slice(0, colon) : name);
  if (!HOST.test(host)) throw invalid(text, `"${host}" is not a registry host`);
  if (!REPOSITORY.test(repository))
    throw invalid(text, `"${repository}" is not a repository name (lower case letters, digits, . _ - and /)`);
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `"${tag}" is not a tag`);
  return {
    kind: 'registry',
    host: normaliseHost(host),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** One spelling per registry, so that a policy for it cannot be dodged by another: case, port 443, Docker Hub's names. */
export function normaliseHost(host: string): string {
  const lower = host.toLowerCase().replace(/:443$/, '');
  return HOST_ALIASES[lower] ?? lower;
}

/** `host/repository`, the name policies match on. */
export function repositoryName(reference: RegistryReference): string {
  return `${reference.host}/${reference.repository}`;
}

/** The reference as a person would type it. Parsing it again gives the same reference. */
export function formatReference(reference: Reference): string {
  switch (reference.kind) {
    case 'registry':
      return repositoryName(reference) + suffix(reference);
    case 'layout':
      return `oci:${reference.path}${suffix(reference)}`;
    case 'archive':
      return `${reference.format}-archive:${reference.path}${suffix(reference)}`;
    case 'daemon':
      return `${reference.engine}:${reference.name}`;
    case 'directory':
      return `dir:${reference.path}`;
  }
}

function suffix({ tag, digest }: { readonly tag?: string; readonly digest?: Digest }): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

function splitHost(name: string): { host: string; repository: string } {
  const [first, rest] = splitOnce(name, '/');
  const isHost = rest !== undefined && (/[.:]/.test(first) || first.toLowerCase() === 'localhost');
  const host = isHost ? first : 'docker.io';
  const repository = isHost ? rest : name;
  const official = normaliseHost(host) === 'docker.io' && !repository.includes('/');
  return { host, repository: official ? `library/${repository}` : repository };
}

function splitPath(text: string): { path: string; tag?: string; digest?: Digest } {
  const [beforeDigest, digestText] = splitOnce(text, '@sha');
  const [, path = beforeDigest, tag] = /^(.+):([^/:\\]+)$/.exec(beforeDigest) ?? [];
  notEmpty(path);
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `"${tag}" is not a tag`);
  return {
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digestText === undefined ? {} : { digest: parseDigest(`sha${digestText}`) }),
  };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function notEmpty(text: string): string {
  if (text === '') throw invalid(text, 'it is empty');
  return text;
}

function invalid(text: string, why: string): BoltsealError {
  return new BoltsealError('REFERENCE_INVALID', `"${text}" is not an image reference: ${why}`, {
    hint: 'Write registry/repository:tag or registry/repository@sha256:…, or oci:DIR, oci-archive:FILE, docker-archive:FILE.',
  });
}
