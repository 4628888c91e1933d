import { Readable } from 'node:stream';

/** A blob's bytes from a position on, handed out in pieces of asked length without holding them. */
export interface BlobCursor extends Disposable {
  /** The next so many bytes; what was taken before must have been read to its end. */
  take(lengthBytes: number): Readable;
}

export function openCursor(open: () => Readable | Uint8Array, fromByte: number): BlobCursor {
  const content = open();
  const source = content instanceof Uint8Array ? Readable.from([content]) : content;
  const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let skipBytes = fromByte;
  let rest: Uint8Array = new Uint8Array();
  async function* following(lengthBytes: number): AsyncGenerator<Uint8Array> {
    for (let wantedBytes = lengthBytes; wantedBytes > 0;) {
      if (rest.length === 0) {
        const next = await pieces.next();
        if (next.done === true) return;
        rest = next.value.subarray(Math.min(skipBytes, next.value.length));
        skipBytes -= next.value.length - rest.length;
        continue;
      }
      const piece = rest.subarray(0, wantedBytes);
      rest = rest.subarray(piece.length);
      wantedBytes -= piece.length;
      yield piece;
    }
  }
  return {
    take: (lengthBytes) => Readable.from(following(lengthBytes), { objectMode: false }),
    [Symbol.dispose]: () => void source.destroy(),
  };
}
