import { Command, CommanderError, Option } from 'commander';
import type { Context } from './base/context.ts';
import { BoltsealError, isBoltsealError, messageOf } from './base/errors.ts';
import { VERSION } from './base/version.ts';
import type { CommandModule, ExitCode, Register, Run } from './commands/command.ts';
import { openProgress } from './commands/progress.ts';
import { ALIASES, COMMANDS } from './commands/table.ts';
import type { Terminal } from './commands/terminal.ts';

interface GlobalOptions {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/**
 * Runs one command line. Never throws: every failure becomes a message on stderr and an exit code.
 *
 * @returns 0 done or allowed, 1 denied, 2 usage, 3 could not find out, 70 a bug in boltseal
 */
export async function main(argv: readonly string[], terminal: Terminal, context: Context): Promise<ExitCode> {
  const outcome: { exitCode: ExitCode } = { exitCode: 0 };
  try {
    const program = await buildProgram(argv, terminal, context, outcome);
    await program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    return report(error, terminal, context);
  }
}

async function buildProgram(
  argv: readonly string[],
  terminal: Terminal,
  context: Context,
  outcome: { exitCode: ExitCode },
): Promise<Command> {
  const program = configure(new Command('boltseal'), terminal)
    .description('Seal container images, and decide whether they may be deployed.')
    .version(VERSION, '--version', 'print the version')
    .helpCommand('help [command]', 'explain a command')
    .addOption(new Option('-q, --quiet', 'no progress, only warnings and errors').conflicts('verbose'))
    .addOption(new Option('-v, --verbose', 'say every request and decision'));
  const register: Register = (command, action) => {
    command.action(async (...parameters: unknown[]) => {
      using progress = openProgress(terminal, program.opts<GlobalOptions>());
      const invoke: Run['invoke'] = (words, env) => main(words, terminal, { ...context, env });
      outcome.exitCode = await action(
        { terminal, context: { ...context, emit: progress.emit }, invoke },
        ...parameters,
      );
    });
  };
  const wanted = wantedCommand(argv);
  for (const [name, { summary, hidden = false, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name, { hidden }).description(summary);
    for (const [alias, target] of Object.entries(ALIASES)) if (target === name) command.alias(alias);
    if (name === wanted) define(await load(), command, register);
    configureAll(command, terminal);
  }
  return program;
}

function define(module: CommandModule, command: Command, register: Register): void {
  module.define(command, register);
}

/** Only the command that is asked for is loaded; `help NAME` asks for it too. */
function wantedCommand(argv: readonly string[]): string | undefined {
  const words = argv.filter((word) => !word.startsWith('-'));
  const word = words[0] === 'help' ? words[1] : words[0];
  return word === undefined ? undefined : (ALIASES[word] ?? word);
}

/** commander asks for this on every command: without it a subcommand would end the process by itself. */
function configure(command: Command, terminal: Terminal): Command {
  return command
    .exitOverride()
    .configureOutput({
      writeOut: terminal.stdout,
      writeErr: terminal.stderr,
      getOutHasColors: () => terminal.hasColors,
    })
    .showHelpAfterError('Run boltseal help for what there is, boltseal help COMMAND for one of them.');
}

function configureAll(command: Command, terminal: Terminal): void {
  configure(command, terminal);
  for (const child of command.commands) configureAll(child, terminal);
}

function report(error: unknown, terminal: Terminal, context: Context): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = context.signal.aborted ? interrupted(error) : isBoltsealError(error) ? error : bug(error);
  terminal.stderr(`error ${known.code}: ${known.message}\n  → ${known.hint}\n`);
  if (known.code === 'INTERNAL' && error instanceof Error) terminal.stderr(`${error.stack ?? ''}\n`);
  return known.exitCode;
}

function interrupted(cause: unknown): BoltsealError {
  return new BoltsealError('INTERRUPTED', 'interrupted before there was an answer', {
    hint: 'Nothing half-done was left behind; run the command again when you are ready.',
    cause,
  });
}

function bug(cause: unknown): BoltsealError {
  return new BoltsealError('INTERNAL', `boltseal failed in a way it should not: ${messageOf(cause)}`, {
    hint: 'Please report this with the lines below and the command you ran.',
    cause,
  });
}
