import { main } from '../../src/cli.ts';
import type { Terminal } from '../../src/commands/terminal.ts';
import type { Context } from '../../src/base/context.ts';
import { testContext } from './context.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, as `bin.ts` would, on the real clock. */
export async function boltseal(
  argv: readonly string[],
  overrides: Partial<Context> & { readonly stdin?: string; readonly ask?: Terminal['ask'] } = {},
): Promise<Ran> {
  const { stdin = '', ask, ...world } = overrides;
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
    readStdin: () => Promise.resolve(new TextEncoder().encode(stdin)),
    ...(ask === undefined ? {} : { ask }),
    isInteractive: false,
    hasColors: false,
  };
  const exitCode = await main(argv, terminal, testContext({ now: () => new Date(), ...world }));
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}
