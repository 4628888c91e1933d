import type { Command } from 'commander';
import { logout } from '../actions/login.ts';
import { logoutView } from '../report/login-view.ts';
import type { Register, Run } from './command.ts';
import { addFormatFlag, type OutputFormat } from './flags.ts';
import { addRegistryConfigFlag, readConnectionFlags, type ConnectionFlags } from './registry-flags.ts';

interface LogoutFlags extends Pick<ConnectionFlags, 'registryConfig'> {
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command.argument('<host>', 'the registry to forget the password for');
  addFormatFlag(addRegistryConfigFlag(command));
  register(command, async (run, host, flags) => logOut(run, host as string, flags as LogoutFlags));
}

async function logOut(run: Run, host: string, flags: LogoutFlags): Promise<0> {
  const result = await logout(host, { registry: readConnectionFlags(flags) }, run.context);
  run.terminal.stdout(logoutView[flags.format](result));
  return 0;
}
