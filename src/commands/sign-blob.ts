import type { Command } from 'commander';
import { signBlob, type Blob } from '../actions/sign-blob.ts';
import { blobView } from '../report/blob-view.ts';
import type { Register, Run } from './command.ts';
import { addFormatFlag, addSigningFlags, readSigningFlags, type OutputFormat, type SigningFlags } from './flags.ts';

interface SignBlobFlags extends SigningFlags {
  readonly bundle: string;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<file>', 'file to sign, - for standard input')
    .requiredOption('--bundle <file>', 'where to write the signature with its proofs: a Sigstore bundle');
  addFormatFlag(addSigningFlags(command));
  register(command, (run, file, flags) => sign(run, file as string, flags as SignBlobFlags));
}

async function sign(run: Run, file: string, flags: SignBlobFlags): Promise<0> {
  const options = { signing: readSigningFlags(flags, run), bundleFile: flags.bundle };
  run.terminal.stdout(blobView[flags.format](await signBlob(await blobOf(file, run), options, run.context)));
  return 0;
}

export async function blobOf(file: string, { terminal }: Run): Promise<Blob> {
  return file === '-' ? { name: 'standard input', bytes: await terminal.readStdin() } : { file };
}
