import { Readable } from 'node:stream';
import { callbackify } from 'node:util';

/**
 * A stream that is opened when its first byte is wanted, and passes on what it reads piece by piece: no copy, no queue of its
 * own beyond one piece, nothing allocated for each. `onFailure` hears only of failures of the stream behind it, not of those
 * who read it and give up.
 */
export function lateStream(open: () => Promise<Readable>, onFailure: (error: Error) => void): Readable {
  let inner: Readable | undefined;
  const fail = (outer: Readable, error: Error): void => {
    if (outer.destroyed) return;
    onFailure(error);
    outer.destroy(error);
  };
  const attach = (outer: Readable, opened: Readable): void => {
    inner = opened;
    opened.on('data', (piece: Uint8Array) => {
      if (!outer.push(piece)) opened.pause();
    });
    opened.once('end', () => outer.push(null));
    opened.on('error', (error) => fail(outer, error));
    opened.once('close', () => {
      if (!opened.readableEnded) fail(outer, new Error('the stream was closed before its end'));
    });
    opened.pause();
  };
  return new Readable({
    construct(done) {
      const begin = async (): Promise<void> => {
        const opened = await open().catch((cause: unknown) => {
          onFailure(cause instanceof Error ? cause : new Error(String(cause)));
          throw cause;
        });
        attach(this, opened);
        if (this.destroyed) opened.destroy();
      };
      callbackify(begin)((error) => done(error));
    },
    read() {
      inner?.resume();
    },
    destroy(error, done) {
      inner?.destroy();
      done(error);
    },
  });
}
