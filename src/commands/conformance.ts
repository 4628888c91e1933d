import type { Command } from 'commander';
import { readLocalFile } from '../actions/read-file.ts';
import { openSigner } from '../actions/open-signer.ts';
import { verifyBlob } from '../actions/verify-blob.ts';
import { writeLocalFile } from '../actions/write-file.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { ExitCode, Register, Run } from './command.ts';

/**
 * The client protocol of the Sigstore conformance suite 0.0.29, for the suite and nobody else: the order and names of its
 * arguments are its own.
 */
export function define(command: Command, register: Register): void {
  const sign = command
    .command('sign-bundle')
    .option('--staging', 'the staging instance')
    .option('--in-toto', 'the file is an in-toto statement')
    .requiredOption('--identity-token <token>')
    .requiredOption('--bundle <file>')
    .option('--trusted-root <file>')
    .option('--signing-config <file>')
    .argument('<file>');
  register(sign, async (run, file, flags) => signBundle(run, file as string, flags as SignFlags));
  const verify = command
    .command('verify-bundle')
    .option('--staging', 'the staging instance')
    .requiredOption('--bundle <file>')
    .option('--certificate-identity <identity>')
    .option('--certificate-oidc-issuer <url>')
    .option('--key <file>')
    .option('--trusted-root <file>')
    .argument('<file-or-digest>');
  register(verify, async (run, file, flags) => verifyBundle(run, file as string, flags as VerifyFlags));
}

interface Flags {
  readonly staging?: boolean;
  readonly bundle: string;
  readonly trustedRoot?: string;
}

interface SignFlags extends Flags {
  readonly inToto?: boolean;
  readonly identityToken: string;
  readonly signingConfig?: string;
}

async function signBundle({ context }: Run, file: string, flags: SignFlags): Promise<ExitCode> {
  refuseStaging(flags, flags.signingConfig);
  const signer = await openSigner(
    {
      token: flags.identityToken,
      ...(flags.signingConfig === undefined ? {} : { signingConfigFile: flags.signingConfig }),
    },
    context,
  );
  const content = await readLocalFile(file, 'the file', LIMITS.bundleBytes);
  const { bytes } =
    flags.inToto === true ? await signer.sign(content, context) : await signer.signMessage(content, context);
  await writeLocalFile(flags.bundle, bytes);
  return 0;
}

interface VerifyFlags extends Flags {
  readonly certificateIdentity?: string;
  readonly certificateOidcIssuer?: string;
  readonly key?: string;
}

async function verifyBundle({ context, terminal }: Run, file: string, flags: VerifyFlags): Promise<ExitCode> {
  refuseStaging(flags, flags.trustedRoot);
  const { certificateIdentity: identity, certificateOidcIssuer, key, trustedRoot } = flags;
  const verdict = await verifyBlob(
    file,
    {
      bundleFile: flags.bundle,
      signers: {
        ...(identity === undefined ? {} : { certificateIdentity: [identity] }),
        ...(certificateOidcIssuer === undefined ? {} : { certificateOidcIssuer }),
        ...(key === undefined ? {} : { keyFiles: [key] }),
      },
      ...(trustedRoot === undefined ? {} : { trustedRootFile: trustedRoot }),
    },
    context,
  );
  if (verdict.ok) return 0;
  terminal.stderr(`${verdict.rejection.code}: ${verdict.rejection.reason}\n`);
  return 1;
}

/** Only the public-good instance is built in; any other is named by its files. */
function refuseStaging({ staging }: Flags, file: string | undefined): void {
  if (staging !== true || file !== undefined) return;
  throw new BoltsealError('USAGE', 'the staging instance is not built in', {
    hint: 'Give its files with --trusted-root and --signing-config.',
  });
}
