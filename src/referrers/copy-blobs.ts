import type { Readable } from 'node:stream';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Source, WritableSource } from '../source/source.ts';
import { byteBudget } from './byte-budget.ts';
import { onSide, sidedError } from './copy-side.ts';
import { lateStream } from './late-stream.ts';

export type BlobOutcome = 'copied' | 'mounted' | 'present';

export interface CopiedBlob {
  readonly blob: Descriptor;
  readonly outcome: BlobOutcome;
}

interface Transfers {
  readonly source: Source;
  readonly destination: WritableSource;
  /** What is being read, so that the first failure can stop it all. */
  readonly open: Set<Readable>;
  /** Turns false at the first mount that was refused: the next would be, too. */
  mounts: boolean;
  stopped: boolean;
}

/**
 * Copies blobs, several at a time (from a source that is one stream, one at a time and in its order), each straight from one side to the other: what is in memory does not grow with their size.
 * The source's stream fails when size or digest is wrong. A blob that is already there is not sent, and one that the
 * destination can take over from another of its repositories does not travel. After a failure nothing new begins, what is
 * under way is broken off, and running it again goes on with what is missing.
 *
 * @throws BoltsealError the codes of the side that failed
 */
export async function copyBlobs(
  { source, destination }: { readonly source: Source; readonly destination: WritableSource },
  blobs: readonly Descriptor[],
  context: Context,
): Promise<readonly CopiedBlob[]> {
  const transfers: Transfers = { source, destination, open: new Set(), mounts: true, stopped: false };
  const position = source.blobPosition;
  const tasks = position === undefined ? LIMITS.parallelTransfers : 1;
  const within = byteBudget({ tasks, bytes: LIMITS.transferBytes });
  const distinct = [...new Map<Digest, Descriptor>(blobs.map((blob) => [blob.digest, blob])).values()];
  const ordered =
    position === undefined ? distinct : distinct.toSorted((a, b) => position(a.digest) - position(b.digest));
  const failures: unknown[] = [];
  const copied: CopiedBlob[] = [];
  const copyOne = async (blob: Descriptor): Promise<void> => {
    if (transfers.stopped) return;
    try {
      const outcome = await copyBlob(blob, transfers);
      context.emit({ kind: 'detail', message: `${blob.digest} (${blob.size} bytes): ${outcome}` });
      copied.push({ blob, outcome });
    } catch (error) {
      failures.push(error);
      stop(transfers);
    }
  };
  await Promise.all(ordered.map((blob) => within(blob.size, () => copyOne(blob))));
  if (failures.length > 0) throw failures[0];
  return copied;
}

function stop(transfers: Transfers): void {
  transfers.stopped = true;
  for (const stream of transfers.open) stream.destroy(stoppedError());
}

async function copyBlob(blob: Descriptor, transfers: Transfers): Promise<BlobOutcome> {
  if (await mount(blob, transfers)) return 'mounted';
  const reading: Reading = { opened: false, failure: undefined };
  try {
    await transfers.destination.writeBlob(blob, () => openReading(blob, reading, transfers));
  } catch (error) {
    // A broken source looks to the destination like an upload that broke off: the first cause is what counts.
    if (reading.failure === undefined) throw sidedError('destination', error);
  }
  if (reading.failure !== undefined) throw sidedError('source', reading.failure);
  return reading.opened ? 'copied' : 'present';
}

async function mount(blob: Descriptor, transfers: Transfers): Promise<boolean> {
  const { source, destination } = transfers;
  const from = source.reference;
  if (!transfers.mounts || from.kind !== 'registry' || destination.mountBlob === undefined) return false;
  transfers.mounts = await onSide('destination', async () => (await destination.mountBlob?.(blob, from)) === true);
  return transfers.mounts;
}

interface Reading {
  opened: boolean;
  /** What the source failed with the last time it was read. */
  failure: unknown;
}

/** Opens the blob when the first byte is wanted. Called again when the destination begins again. */
function openReading(blob: Descriptor, reading: Reading, { source, open, stopped }: Transfers): Readable {
  if (stopped) throw stoppedError();
  reading.opened = true;
  reading.failure = undefined;
  const stream = lateStream(
    () => source.readBlob(blob),
    (error) => {
      reading.failure = error;
    },
  );
  // Whoever reads it gets the error; without a listener of our own a late one would end the process.
  stream.once('error', () => undefined);
  open.add(stream);
  stream.once('close', () => open.delete(stream));
  return stream;
}

function stoppedError(): BoltsealError {
  return new BoltsealError('INTERRUPTED', 'stopped, since another part of the copy failed', {
    hint: 'Run the copy again: it goes on with what is missing.',
  });
}
