#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { main } from './cli.ts';

/** The only file that touches process, console and clock: it hands them to `main` and its answer to the shell. */
const interrupt = new AbortController();

process.on('SIGINT', () => {
  // A second Ctrl-C means now: whoever pressed it does not want to wait for things to be tidied up.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort();
});
process.on('SIGTERM', () => interrupt.abort());

// A reader that has seen enough (`| head`) closes the pipe. The exit code still has to tell the answer.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

void main(
  process.argv.slice(2),
  {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    readStdin: async () => Buffer.concat(await process.stdin.toArray()),
    ...(process.stdin.isTTY && process.stderr.isTTY ? { askSecret } : {}),
    isInteractive: process.stderr.isTTY,
    hasColors: process.stdout.isTTY && process.stdout.hasColors(),
  },
  {
    now: () => new Date(),
    env: process.env,
    execPath: process.execPath,
    signal: interrupt.signal,
    emit: () => {},
  },
).then((exitCode) => {
  process.exitCode = exitCode;
  return exitCode;
});

/** readline edits the line and echoes it into nothing. Ctrl-C there reaches nobody else, so it is passed on. */
async function askSecret(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  using reader = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  reader.on('SIGINT', () => interrupt.abort());
  const answer = await reader.question('', { signal: interrupt.signal });
  process.stderr.write('\n');
  return answer;
}
