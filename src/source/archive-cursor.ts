import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { FormatError } from '../tar/format-error.ts';
import { archiveError, type ArchiveInput } from './archive-scan.ts';

type ForwardInput = Extract<ArchiveInput, { readonly kind: 'forward' }>;

/** Where one reading of the tar has got to. */
interface Pass {
  readonly chunks: AsyncIterator<Uint8Array>;
  /** Bytes taken out so far. */
  position: number;
  /** What has arrived beyond that. */
  rest: Uint8Array;
}

/**
 * Reads ranges of a tar that can only be read from its front. A pass that came to the end of a range waits there: a range
 * further on goes on with it, one further back starts again. Ranges asked for one after the other, in order, take one pass.
 */
export class ArchiveCursor implements AsyncDisposable {
  readonly #input: ForwardInput;
  #waiting: Pass | undefined;
  #isClosed = false;

  constructor(input: ForwardInput) {
    this.#input = input;
  }

  /** Bytes `offset` to `offset + size` of the tar. */
  read(offset: number, size: number): Readable {
    return Readable.from(this.#range(offset, size), { objectMode: false, highWaterMark: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#waiting?.chunks.return?.();
    this.#waiting = undefined;
  }

  async *#range(offset: number, size: number): AsyncGenerator<Uint8Array> {
    let pass: Pass | undefined;
    let isComplete = false;
    try {
      pass = await this.#passBefore(offset);
      await advance(pass, offset);
      for (let left = size; left > 0;) {
        const piece = await take(pass, left);
        left -= piece.length;
        yield piece;
      }
      isComplete = true;
    } catch (cause) {
      throw archiveError(cause, this.#input.name);
    } finally {
      if (isComplete && !this.#isClosed && this.#waiting === undefined) this.#waiting = pass;
      else await pass?.chunks.return?.();
    }
  }

  async #passBefore(offset: number): Promise<Pass> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined && waiting.position <= offset) return waiting;
    await waiting?.chunks.return?.();
    const stream: AsyncIterable<Uint8Array> = await this.#input.open();
    return { chunks: stream[Symbol.asyncIterator](), position: 0, rest: Buffer.alloc(0) };
  }
}

async function advance(pass: Pass, offset: number): Promise<void> {
  while (pass.position < offset) await take(pass, offset - pass.position);
}

async function take(pass: Pass, maxBytes: number): Promise<Uint8Array> {
  if (pass.rest.length === 0) {
    const { done, value } = await pass.chunks.next();
    if (done === true) throw new FormatError('it is shorter than it was when it was opened');
    pass.rest = value;
  }
  const piece = pass.rest.subarray(0, maxBytes);
  pass.rest = pass.rest.subarray(piece.length);
  pass.position += piece.length;
  return piece;
}
