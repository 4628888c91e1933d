import type { Command } from 'commander';
import { verifyBlob } from '../actions/verify-blob.ts';
import { COLORS, PLAIN } from '../report/style.ts';
import { verifyBlobView } from '../report/verify-blob-view.ts';
import type { ExitCode, Register, Run } from './command.ts';
import { addFormatFlag, type OutputFormat } from './flags.ts';
import { addSignerFlags, readSignerFlags, type SignerFlagValues } from './signer-flags.ts';
import { addTrustFlags, readTrustFlags, type TrustFlags } from './trust-flags.ts';

interface VerifyBlobFlags extends SignerFlagValues, TrustFlags {
  readonly bundle: string;
  readonly insecureIgnoreTlog?: boolean;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<file>', 'the file, or its digest alone: sha256:HEX')
    .requiredOption('--bundle <file>', 'the Sigstore bundle: a signature over the file, or a statement about it');
  addSignerFlags(command).option(
    '--insecure-ignore-tlog',
    'accept what is signed with --key though no log has it and nothing proves when',
  );
  addFormatFlag(addTrustFlags(command)).addHelpText(
    'after',
    '\nExit code: 0 verified, 1 not verified, 3 it could not be found out.\n',
  );
  register(command, async (run, file, flags) => verify(run, file as string, flags as VerifyBlobFlags));
}

async function verify(run: Run, file: string, flags: VerifyBlobFlags): Promise<ExitCode> {
  const verdict = await verifyBlob(
    file,
    {
      bundleFile: flags.bundle,
      signers: readSignerFlags(flags),
      allowUnloggedKeys: flags.insecureIgnoreTlog === true,
      ...readTrustFlags(flags, run),
    },
    run.context,
  );
  run.terminal.stdout(verifyBlobView[flags.format](verdict, run.terminal.hasColors ? COLORS : PLAIN));
  return verdict.ok ? 0 : 1;
}
