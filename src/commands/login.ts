import type { Command } from 'commander';
import { login } from '../actions/login.ts';
import { BoltsealError } from '../base/errors.ts';
import { loginView } from '../report/login-view.ts';
import type { Register, Run } from './command.ts';
import { addFormatFlag, type OutputFormat } from './flags.ts';
import { addConnectionFlags, readConnectionFlags, readPassword, type ConnectionFlags } from './registry-flags.ts';

interface LoginFlags extends ConnectionFlags {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<host>', 'the registry, as references begin with it: ghcr.io, docker.io, localhost:5000')
    .option('-u, --username <name>', 'user name; asked for when absent')
    .option('--password-stdin', 'read the password from standard input; asked for when absent');
  addFormatFlag(addConnectionFlags(command));
  register(command, async (run, host, flags) => logIn(run, host as string, flags as LoginFlags));
}

async function logIn(run: Run, host: string, flags: LoginFlags): Promise<0> {
  const registry = readConnectionFlags(flags);
  if (flags.passwordStdin === true && flags.username === undefined)
    throw unanswered('--password-stdin needs --username: standard input is taken');
  const username = flags.username ?? (await ask(run, 'Username: ', false));
  const password = flags.passwordStdin === true ? await readPassword(run) : await ask(run, 'Password: ', true);
  const result = await login(host, { username, password, registry }, run.context);
  run.terminal.stdout(loginView[flags.format](result));
  return 0;
}

function ask({ terminal }: Run, question: string, hidden: boolean): Promise<string> {
  if (terminal.ask !== undefined) return terminal.ask(question, { hidden });
  throw unanswered('nobody is there to be asked for the user name and the password');
}

function unanswered(message: string): BoltsealError {
  return new BoltsealError('USAGE', message, {
    hint: 'Write: printf %s "$PASSWORD" | boltseal login HOST --username NAME --password-stdin',
  });
}
