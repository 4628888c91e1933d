import type { Command } from 'commander';
import { publicKeyOf } from '../actions/key-pair.ts';
import type { Register, Run } from './command.ts';
import { KEY_FLAG, KEY_HELP } from './flags.ts';
import { passwordOptions } from './key-password.ts';

interface PublicKeyFlags {
  readonly key: string;
}

export function define(command: Command, register: Register): void {
  command.requiredOption(KEY_FLAG, KEY_HELP);
  register(command, (run, flags) => print(run, flags as PublicKeyFlags));
}

async function print(run: Run, { key }: PublicKeyFlags): Promise<0> {
  run.terminal.stdout(await publicKeyOf(key, passwordOptions(run), run.context));
  return 0;
}
