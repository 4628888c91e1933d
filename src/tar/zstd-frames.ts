import { Transform, type TransformCallback } from 'node:stream';
import { FormatError } from './format-error.ts';

/** What comes next in the stream: a field of a fixed width, or content up to the end of a block, frame or skippable frame. */
type Stage = 'magic' | 'skippable-size' | 'skippable' | 'descriptor' | 'block' | 'frame-end';

const FIELD_BYTES: Readonly<Record<Stage, number>> = {
  magic: 4,
  'skippable-size': 4,
  skippable: 0,
  descriptor: 1,
  block: 3,
  'frame-end': 0,
};

/**
 * Cuts a zstd stream (RFC 8878, 3.1) so that no chunk it passes on reaches across the end of a frame, and leaves skippable
 * frames out. Node's decompressor silently stops at the end of the first frame in a chunk (nodejs/node#64741), which loses
 * most of a layer that was written in many frames (zstd:chunked, pzstd). Fails when the stream ends inside a frame.
 */
export class ZstdFrames extends Transform {
  #stage: Stage = 'magic';
  readonly #field = Buffer.alloc(4);
  #fieldBytes = 0;
  /** Content to pass before the next field. */
  #contentBytes = 0;
  #checksumBytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#cut(chunk);
      done();
    } catch (cause) {
      done(cause as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    const isAtBoundary = this.#stage === 'magic' && this.#fieldBytes === 0;
    done(isAtBoundary ? null : new FormatError('the zstd stream ends in the middle of a frame'));
  }

  #cut(chunk: Buffer): void {
    let start = 0;
    for (let at = 0; at < chunk.length;) {
      const isOutside = this.#stage === 'magic' || this.#stage.startsWith('skippable');
      at += this.#contentBytes > 0 ? this.#pass(chunk.length - at) : this.#gather(chunk, at);
      if (isOutside) start = at;
      if (this.#contentBytes > 0) continue;
      if (this.#stage === 'skippable') this.#stage = 'magic';
      if (this.#stage === 'frame-end') {
        this.#stage = 'magic';
        this.push(chunk.subarray(start, at));
        start = at;
      }
    }
    if (start < chunk.length) this.push(chunk.subarray(start));
  }

  #pass(availableBytes: number): number {
    const taken = Math.min(this.#contentBytes, availableBytes);
    this.#contentBytes -= taken;
    return taken;
  }

  #gather(chunk: Buffer, at: number): number {
    const wanted = FIELD_BYTES[this.#stage];
    const taken = chunk.copy(this.#field, this.#fieldBytes, at, at + wanted - this.#fieldBytes);
    this.#fieldBytes += taken;
    if (this.#fieldBytes === wanted) {
      this.#fieldBytes = 0;
      this.#readField();
    }
    return taken;
  }

  #readField(): void {
    if (this.#stage === 'magic') {
      this.#readMagic(this.#field.readUInt32LE(0));
    } else if (this.#stage === 'skippable-size') {
      this.#contentBytes = this.#field.readUInt32LE(0);
      this.#stage = 'skippable';
    } else if (this.#stage === 'descriptor') {
      this.#readDescriptor(this.#field[0] ?? 0);
    } else {
      this.#readBlockHeader(this.#field.readUIntLE(0, 3));
    }
  }

  #readMagic(magic: number): void {
    const isSkippable = magic >= 0x184d2a50 && magic <= 0x184d2a5f;
    if (magic !== FRAME_MAGIC && !isSkippable) throw new FormatError('bytes that are no zstd frame follow one');
    this.#stage = isSkippable ? 'skippable-size' : 'descriptor';
    if (!isSkippable) this.push(Buffer.from(this.#field));
  }

  /** RFC 8878, 3.1.1.1: what the descriptor says of the width of the header's other fields. */
  #readDescriptor(descriptor: number): void {
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    this.#checksumBytes = (descriptor & 4) === 0 ? 0 : 4;
    this.#contentBytes = (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
    this.#stage = 'block';
  }

  /** RFC 8878, 3.1.1.2: last flag, type, size; a run-length block stores one byte. */
  #readBlockHeader(header: number): void {
    const type = (header >> 1) & 3;
    if (type === 3) throw new FormatError('a zstd block is of a reserved type');
    const isLast = (header & 1) === 1;
    this.#contentBytes = (type === 1 ? 1 : header >> 3) + (isLast ? this.#checksumBytes : 0);
    if (isLast) this.#stage = 'frame-end';
  }
}

const FRAME_MAGIC = 0xfd2fb528;
