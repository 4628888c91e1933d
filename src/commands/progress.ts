import type { Context, ProgressEvent } from '../base/context.ts';
import type { Terminal } from './terminal.ts';

interface Progress extends Disposable {
  readonly emit: Context['emit'];
}

interface Verbosity {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/**
 * Turns events into lines on stderr. On a screen, bytes in flight are one line that is redrawn; elsewhere they are not
 * shown, and every line stands by itself. Warnings are shown once each, whatever the verbosity.
 */
export function openProgress(terminal: Terminal, { quiet = false, verbose = false }: Verbosity): Progress {
  const transfers = new Map<string, { doneBytes: number; totalBytes: number }>();
  const warned = new Set<string>();
  let drawn = false;
  const clear = (): void => {
    if (drawn) terminal.stderr('\r\u001B[2K');
    drawn = false;
  };
  const line = (text: string): void => {
    clear();
    terminal.stderr(`${text}\n`);
  };
  const draw = (): void => {
    const all = [...transfers.values()];
    const done = all.reduce((sum, { doneBytes }) => sum + doneBytes, 0);
    const total = all.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
    clear();
    terminal.stderr(`  ${megabytes(done)} of ${megabytes(Math.max(total, done))}`);
    drawn = true;
  };
  const show: { readonly [Kind in ProgressEvent['kind']]: (event: Extract<ProgressEvent, { kind: Kind }>) => void } = {
    step: ({ message }) => quiet || line(message),
    detail: ({ message }) => verbose && line(`  ${message}`),
    warning: ({ message }) => {
      if (warned.has(message)) return;
      warned.add(message);
      line(`warning: ${message}`);
    },
    bytes: ({ id, doneBytes, totalBytes = 0 }) => {
      transfers.set(id, { doneBytes, totalBytes });
      if (terminal.isInteractive && !quiet) draw();
    },
  };
  return {
    emit: (event) => (show[event.kind] as (event: ProgressEvent) => void)(event),
    [Symbol.dispose]: clear,
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
