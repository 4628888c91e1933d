import type { Command } from 'commander';
import { attestBlob } from '../actions/sign-blob.ts';
import { blobView } from '../report/blob-view.ts';
import type { Register, Run } from './command.ts';
import { addFormatFlag, addSigningFlags, readSigningFlags, type OutputFormat, type SigningFlags } from './flags.ts';
import { blobOf } from './sign-blob.ts';

interface AttestBlobFlags extends SigningFlags {
  readonly type?: string;
  readonly predicate: string;
  readonly bundle: string;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<file>', 'file the statement is about, - for standard input')
    .option(
      '--type <type>',
      'predicate type: slsaprovenance1, spdxjson, cyclonedx, vuln, custom … or a URI (default: told from the predicate)',
    )
    .requiredOption('--predicate <file>', 'file that holds the predicate')
    .requiredOption('--bundle <file>', 'where to write the signed statement: a Sigstore bundle');
  addFormatFlag(addSigningFlags(command));
  register(command, (run, file, flags) => attest(run, file as string, flags as AttestBlobFlags));
}

async function attest(run: Run, file: string, flags: AttestBlobFlags): Promise<0> {
  const { type, predicate: predicateFile, bundle: bundleFile } = flags;
  const options = {
    signing: readSigningFlags(flags, run),
    predicateFile,
    bundleFile,
    ...(type === undefined ? {} : { type }),
  };
  run.terminal.stdout(blobView[flags.format](await attestBlob(await blobOf(file, run), options, run.context)));
  return 0;
}
