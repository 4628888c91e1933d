/** What a run may know of the world beside its arguments. Everything that is not pure takes one, last. */
export interface Context {
  /** The only clock. Tests fix it. */
  readonly now: () => Date;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of the Node that runs boltseal. */
  readonly execPath: string;
  /** Aborted on Ctrl-C: every wait and every request honours it. */
  readonly signal: AbortSignal;
  /** Progress and warnings on their way to stderr. Never results. */
  readonly emit: (event: ProgressEvent) => void;
}

export type ProgressEvent =
  /** A step that has begun, in words for a person. */
  | { readonly kind: 'step'; readonly message: string }
  /** Something a person should know that does not change the answer's code. */
  | { readonly kind: 'warning'; readonly message: string }
  /** Bytes moved; `id` names the transfer (a digest), `totalBytes` is absent when unknown. */
  | { readonly kind: 'bytes'; readonly id: string; readonly doneBytes: number; readonly totalBytes?: number }
  /** Detail that only --verbose shows: one request, one decision. */
  | { readonly kind: 'detail'; readonly message: string };
