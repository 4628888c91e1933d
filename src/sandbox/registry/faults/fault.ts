import type { Route, SandboxReply, SandboxRequest } from '../../http/message.ts';

/** What a fault of the sandbox's registry may know of it. */
export interface FaultPlace {
  /** `http://127.0.0.1:PORT` of the registry. */
  readonly url: string;
  /** The same content at another origin, which refuses every request that brings credentials, as cloud storage does. */
  readonly elsewhere: string;
  readonly now: () => Date;
}

/** One registry's own copy of a fault: it may remember what it has done. */
export interface ActiveFault {
  /** Asked before the registry's own. */
  readonly routes?: readonly Route[];
  /** Answers in place of the registry, or changes what it answers; `next` asks it. */
  readonly answer?: (
    request: SandboxRequest,
    next: () => Promise<SandboxReply>,
  ) => Promise<SandboxReply> | SandboxReply;
  /** Settings of the registry that make the fault. */
  readonly settings?: { readonly referrersApi?: boolean; readonly referrersPerPage?: number };
}

/** A quirk or an attack that clients meet, for a registry that is honest otherwise. */
export interface Fault {
  /** For `--help`: who does this, or what it is. */
  readonly summary: string;
  readonly start: (place: FaultPlace) => ActiveFault;
}

export function isReferrers({ url }: SandboxRequest): boolean {
  return /^\/v2\/.+\/referrers\/[^/]+$/.test(url.pathname);
}

export function isManifest({ url }: SandboxRequest): boolean {
  return /^\/v2\/.+\/manifests\/[^/]+$/.test(url.pathname);
}

export function isBlob({ url }: SandboxRequest): boolean {
  return /^\/v2\/.+\/blobs\/sha(?:256|512)(?::|%3A)[0-9a-f]+$/i.test(url.pathname);
}

export function isUpload({ url }: SandboxRequest): boolean {
  return /^\/v2\/.+\/blobs\/uploads\//.test(url.pathname);
}

export function problem(status: number, code: string, headers: Readonly<Record<string, string>> = {}): SandboxReply {
  const body = JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' '), detail: null }] });
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

export function withHeaders(reply: SandboxReply, changes: Readonly<Record<string, string | undefined>>): SandboxReply {
  const headers = Object.entries({ ...reply.headers, ...changes }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...reply, headers: Object.fromEntries(headers) };
}

/** What is pushed, seen as it goes by: whole once `next` has answered. */
export function seeBody({ stream }: SandboxRequest): () => Buffer {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces);
}

/** Runs `then` for the first `times` requests that it is asked about. */
export function firstTimes(times: number): (then: () => SandboxReply) => SandboxReply | undefined {
  let left = times;
  return (then) => {
    if (left <= 0) return undefined;
    left -= 1;
    return then();
  };
}
