#!/usr/bin/env node
import { main } from './cli.ts';
import { openPrompt } from './commands/prompt.ts';

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
    ...(process.stdin.isTTY && process.stderr.isTTY
      ? { ask: openPrompt(process.stdin, process.stderr, interrupt.signal) }
      : {}),
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
