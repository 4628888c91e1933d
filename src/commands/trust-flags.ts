import type { Command } from 'commander';
import type { Run } from './command.ts';

/** Which trusted root to verify with. */
export interface TrustFlags {
  readonly trustedRoot?: string;
  readonly trust?: string;
}

export function addTrustFlags(command: Command): Command {
  return command
    .option(
      '--trusted-root <file>',
      'trusted_root.json (or BOLTSEAL_TRUSTED_ROOT; default: the public-good instance’s, built in)',
    )
    .option('--trust <file>', 'trust bundle, as boltseal trust bundle writes it (or BOLTSEAL_TRUST)');
}

/** A flag outdoes the environment, and the whole trust outdoes the root alone. */
export function readTrustFlags(flags: TrustFlags, { context }: Run): { readonly trustedRootFile?: string } {
  const { env } = context;
  const file = first(flags.trust, flags.trustedRoot, env['BOLTSEAL_TRUST'], env['BOLTSEAL_TRUSTED_ROOT']);
  return file === undefined ? {} : { trustedRootFile: file };
}

interface SigningFlags {
  readonly signingConfig?: string;
  readonly trust?: string;
}

/** The file that says where to sign: what is about signing alone outdoes what is about trust too. */
export function signingConfigFileOf({ signingConfig, trust }: SigningFlags, { context }: Run): string | undefined {
  const { env } = context;
  return first(signingConfig, trust, env['BOLTSEAL_SIGNING_CONFIG'], env['BOLTSEAL_TRUST']);
}

function first(...paths: readonly (string | undefined)[]): string | undefined {
  return paths.find((path) => path !== undefined && path !== '');
}
