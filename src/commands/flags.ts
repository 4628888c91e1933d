import { Option, type Command } from 'commander';
import { BoltsealError } from '../base/errors.ts';
import { parsePlatform, type Platform } from '../oci/platform.ts';
import type { SigningOptions } from '../actions/open-signer.ts';
import type { Run } from './command.ts';

/** Flags that several commands share, each with the function that turns them into what an action takes. */

export { addRegistryFlags, readRegistryFlags, type RegistryFlags } from './registry-flags.ts';

export interface PlatformFlag {
  readonly platform?: Platform;
}

export function addPlatformFlag(command: Command): Command {
  return command.addOption(
    new Option('--platform <os/arch>', 'which image of an index: linux/amd64, linux/arm/v7').argParser(parsePlatform),
  );
}

export interface SigningFlags {
  readonly identityToken?: string;
  readonly identityTokenFile?: string;
  readonly signingConfig?: string;
}

export function addSigningFlags(command: Command): Command {
  return command
    .option('--identity-token <token>', 'OIDC token that says who signs, or a file that holds it')
    .option('--identity-token-file <file>', 'file that holds the OIDC token')
    .option(
      '--signing-config <file>',
      'which Sigstore services to use, signing config v0.2 (or BOLTSEAL_SIGNING_CONFIG)',
    );
}

export function readSigningFlags(flags: SigningFlags, { context }: Run): SigningOptions {
  const signingConfig = flags.signingConfig ?? context.env['BOLTSEAL_SIGNING_CONFIG'];
  return {
    ...(flags.identityToken === undefined ? {} : { token: flags.identityToken }),
    ...(flags.identityTokenFile === undefined ? {} : { tokenFile: flags.identityTokenFile }),
    ...(signingConfig === undefined ? {} : { signingConfigFile: signingConfig }),
  };
}

export type OutputFormat = 'text' | 'json';

export function addFormatFlag(command: Command): Command {
  return command.addOption(
    new Option('--format <format>', 'how to print the result').choices(['text', 'json']).default('text'),
  );
}

/** `key=value`, may be given several times. */
export function collectPairs(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at <= 0)
    throw new BoltsealError('USAGE', `"${text}" is not key=value`, {
      hint: 'Write it as --annotation key=value, once for each.',
    });
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
