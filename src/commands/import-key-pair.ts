import type { Command } from 'commander';
import { importKeyPair } from '../actions/key-pair.ts';
import { keyPairView } from '../report/key-pair-view.ts';
import type { Register, Run } from './command.ts';
import { addFormatFlag, type OutputFormat } from './flags.ts';
import { newPassword, passwordOptions } from './key-password.ts';

interface ImportFlags {
  readonly key: string;
  readonly outputKeyPrefix: string;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .requiredOption('--key <file>', 'PEM file with a private key: PKCS #8, PKCS #1, SEC 1, encrypted or not')
    .option(
      '--output-key-prefix <name>',
      'writes NAME.key and NAME.pub, and replaces no private key',
      'import-boltseal',
    );
  addFormatFlag(command);
  register(command, (run, flags) => importKey(run, flags as ImportFlags));
}

async function importKey(run: Run, { key, outputKeyPrefix: prefix, format }: ImportFlags): Promise<0> {
  const output = { prefix, password: await newPassword(run), ...passwordOptions(run) };
  run.terminal.stdout(keyPairView[format](await importKeyPair(key, output, run.context)));
  return 0;
}
