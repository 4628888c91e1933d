import type { Command } from 'commander';
import type { Context } from '../base/context.ts';
import type { Terminal } from './terminal.ts';

/** 0 done or allowed · 1 denied · 2 usage · 3 could not find out · 70 a bug; `sandbox run` ends with its command's own. */
export type ExitCode = number;

/** What a command is run with: where to write, what it may know, and the global flags' effect already in place. */
export interface Run {
  readonly terminal: Terminal;
  readonly context: Context;
  /** Runs another command line with the same terminal, in this environment: for the demo, which is a script of commands. */
  readonly invoke: (argv: readonly string[], env: Context['env']) => Promise<ExitCode>;
}

/**
 * A command file: adds its arguments and flags to `command`, and says what to run. `register` wraps the action so that its
 * exit code reaches `main`; an action throws BoltsealError for everything it cannot do.
 */
export interface CommandModule {
  define(command: Command, register: Register): void;
}

/** Commander passes an action its arguments, then its options, then the command itself. */
export type Register = (
  command: Command,
  action: (run: Run, ...parameters: readonly unknown[]) => Promise<ExitCode>,
) => void;
