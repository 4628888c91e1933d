import { Option, type Command } from 'commander';
import { makeKeyPair } from '../actions/key-pair.ts';
import { keyPairView } from '../report/key-pair-view.ts';
import { DEFAULT_KEY_ALGORITHM, KEY_ALGORITHMS, type KeyAlgorithm } from '../sign/key/scheme.ts';
import type { Register, Run } from './command.ts';
import { addFormatFlag, type OutputFormat } from './flags.ts';
import { newPassword } from './key-password.ts';

interface KeyPairFlags {
  readonly outputKeyPrefix: string;
  readonly signingAlgorithm: KeyAlgorithm;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .option('--output-key-prefix <name>', 'writes NAME.key and NAME.pub, and replaces no private key', 'boltseal')
    .addOption(
      new Option('--signing-algorithm <name>', 'kind of key')
        .choices(Object.keys(KEY_ALGORITHMS))
        .default(DEFAULT_KEY_ALGORITHM),
    );
  addFormatFlag(command);
  register(command, (run, flags) => generate(run, flags as KeyPairFlags));
}

async function generate(run: Run, { outputKeyPrefix: prefix, signingAlgorithm, format }: KeyPairFlags): Promise<0> {
  const pair = await makeKeyPair(signingAlgorithm, { prefix, password: await newPassword(run) });
  run.terminal.stdout(keyPairView[format](pair));
  return 0;
}
