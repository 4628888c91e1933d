import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Command } from 'commander';
import { BoltsealError, messageOf } from '../base/errors.ts';
import { FAULTS, isFaultName, type FaultName } from '../sandbox/registry/faults/faults.ts';
import { startSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import type { ExitCode, Register, Run } from './command.ts';

interface SandboxFlags {
  readonly directory?: string;
  readonly referrers: boolean;
  readonly issuer?: string;
  readonly fault?: readonly FaultName[];
}

export function define(command: Command, register: Register): void {
  command.addHelpText(
    'after',
    '\nEverything listens on loopback and is gone when the command ends. Nothing it signs is worth anything elsewhere.\n',
  );
  register(
    addFlags(command.command('up').description('run until Ctrl-C, and print the environment that points at it')),
    (run, flags) => up(run, flags as SandboxFlags),
  );
  const runCommand = command
    .command('run')
    .description('run a command in it, and end with its exit code')
    .argument('<command...>', 'after --: the command and its arguments');
  register(addFlags(runCommand), (run, words, flags) => runIn(run, words as readonly string[], flags as SandboxFlags));
}

function addFlags(command: Command): Command {
  return command
    .option(
      '--directory <path>',
      'where to write trusted_root.json and signing_config.json (default: a temporary folder)',
    )
    .option('--issuer <url>', 'what identity tokens say of who made them, for policies written beforehand')
    .option('--no-referrers', 'a registry without the referrers API, as many still are')
    .option(
      '--fault <name>',
      'something the registry does wrong, or to attack; may be given several times',
      collectFaults,
    )
    .addHelpText('after', `\nFaults:\n${faultList()}\n`);
}

async function up(run: Run, flags: SandboxFlags): Promise<ExitCode> {
  const { terminal, context } = run;
  await using sandbox = await open(run, flags);
  terminal.stdout(
    Object.entries(sandbox.environment)
      .map(([name, value]) => `export ${name}=${quote(value)}\n`)
      .join(''),
  );
  context.emit({ kind: 'step', message: `registry at ${sandbox.registry}; stop with Ctrl-C` });
  if (!context.signal.aborted) await once(context.signal, 'abort');
  return 0;
}

async function runIn(run: Run, [program = '', ...args]: readonly string[], flags: SandboxFlags): Promise<ExitCode> {
  const { context } = run;
  await using sandbox = await open(run, flags);
  const child = spawn(program, args, { stdio: 'inherit', env: { ...context.env, ...sandbox.environment } });
  const [code, signal] = await (once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>).catch(
    (cause: unknown) => {
      throw new BoltsealError('USAGE', `cannot run ${program}: ${messageOf(cause)}`, {
        hint: 'Check the name; write the command after --.',
        cause,
      });
    },
  );
  return code ?? (signal === 'SIGINT' ? 130 : 3);
}

function open({ context }: Run, { directory, referrers, issuer, fault }: SandboxFlags): Promise<Sandbox> {
  return startSandbox(
    {
      referrersApi: referrers,
      ...(directory === undefined ? {} : { directory }),
      ...(issuer === undefined ? {} : { issuer }),
      ...(fault === undefined ? {} : { faults: fault }),
    },
    context,
  );
}

function collectFaults(name: string, previous: readonly FaultName[] = []): readonly FaultName[] {
  if (isFaultName(name)) return [...previous, name];
  throw new BoltsealError('USAGE', `the sandbox's registry has no fault "${name}"`, {
    hint: `Faults: ${Object.keys(FAULTS).join(', ')}.`,
  });
}

function faultList(): string {
  return Object.entries(FAULTS)
    .map(([name, { summary }]) => `  ${name.padEnd(22)} ${summary}`)
    .join('\n');
}

/** For a POSIX shell: `eval "$(boltseal sandbox up &)"` and the like. */
function quote(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
