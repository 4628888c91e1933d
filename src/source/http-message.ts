import type { Readable } from 'node:stream';

/**
 * `follow` anywhere that is safe · `same-origin` leaves a redirect to another origin to the caller, as an answer ·
 * `refuse` leaves every redirect to the caller.
 */
export type RedirectMode = 'follow' | 'same-origin' | 'refuse';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called once per attempt and per redirect that keeps the method. */
  readonly body?: () => Readable | Uint8Array;
  /** What to do with a 3xx; `follow` when absent. */
  readonly redirect?: RedirectMode;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** Must be read or discarded. Fails when the connection does. */
  readonly body: Readable;
}
