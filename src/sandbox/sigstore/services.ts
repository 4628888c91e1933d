import type { Context } from '../../base/context.ts';
import { startFulcio } from './fulcio.ts';
import { startIssuer } from './issuer.ts';
import { startRekorV1 } from './rekor-v1.ts';
import { startRekorV2 } from './rekor-v2.ts';
import { startTimestampAuthority } from './timestamp-authority.ts';
import type { SigstoreServices } from './trust-documents.ts';

/** Ports to listen on; a free one where none is given. */
export interface SigstoreOptions {
  readonly ports: SigstorePorts;
  /** What tokens say of who made them; the issuer's own address when absent. */
  readonly issuer?: string;
}

export interface SigstorePorts {
  readonly issuer?: number;
  readonly fulcio?: number;
  readonly rekorV1?: number;
  readonly rekorV2?: number;
  readonly timestampAuthority?: number;
}

/**
 * Starts a whole Sigstore instance with new keys, each service on its own port of 127.0.0.1. What was started is stopped
 * again when a later service fails to start.
 *
 * @throws BoltsealError SANDBOX_UNAVAILABLE
 */
export async function startSigstore(
  { ports, issuer: named }: SigstoreOptions,
  context: Context,
): Promise<SigstoreServices & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const issuer = started.use(
    await startIssuer({ port: ports.issuer ?? 0, ...(named === undefined ? {} : { issuer: named }) }, context),
  );
  const fulcio = started.use(await startFulcio(issuer, ports.fulcio ?? 0, context));
  const rekorV1 = started.use(await startRekorV1(ports.rekorV1 ?? 0, context));
  const rekorV2 = started.use(await startRekorV2(ports.rekorV2 ?? 0, context));
  const timestampAuthority = started.use(await startTimestampAuthority(ports.timestampAuthority ?? 0, context));
  const running = started.move();
  return {
    issuer,
    fulcio,
    rekorV1,
    rekorV2,
    timestampAuthority,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
