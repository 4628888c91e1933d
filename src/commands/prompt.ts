import { createInterface } from 'node:readline';
import { Writable, type Readable } from 'node:stream';
import { BoltsealError } from '../base/errors.ts';
import type { Terminal } from './terminal.ts';

/** Asks on `output` and reads a line from `input`, a terminal. What is typed to a hidden question goes nowhere else. */
export function openPrompt(input: Readable, output: Writable, signal: AbortSignal): Required<Terminal>['ask'] {
  return (question, { hidden }) =>
    new Promise((resolve, reject) => {
      output.write(question);
      // With `terminal`, readline takes over the echo; what it echoes to is then up to us.
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      const lines = createInterface({ input, output: hidden ? nowhere : output, terminal: true, signal });
      let answered = false;
      lines.once('line', (line) => {
        answered = true;
        lines.close();
        if (hidden) output.write('\n');
        resolve(line);
      });
      lines.once('SIGINT', () => lines.close());
      lines.once('close', () => {
        if (!answered) reject(interrupted());
      });
    });
}

function interrupted(): BoltsealError {
  return new BoltsealError('INTERRUPTED', 'the question was not answered', {
    hint: 'Run the command again when you are ready; nothing was changed.',
  });
}
