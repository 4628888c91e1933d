import { Option, type Command } from 'commander';
import { BoltsealError } from '../base/errors.ts';
import { parsePlatform, type Platform } from '../oci/platform.ts';
import type { RegistryAccess } from '../actions/open-image.ts';
import type { SigningOptions } from '../actions/open-signer.ts';
import type { Run } from './command.ts';

/** Flags that several commands share, each with the function that turns them into what an action takes. */

export interface RegistryFlags {
  readonly plainHttp?: boolean;
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly registryToken?: string;
}

export function addRegistryFlags(command: Command): Command {
  return command
    .option('--plain-http', 'speak HTTP to this registry (loopback addresses need no flag)')
    .option('-u, --username <name>', 'user name for the registry')
    .option('--password-stdin', 'read the password for the registry from standard input')
    .option('--registry-token <token>', 'bearer token for the registry');
}

/** @throws BoltsealError USAGE */
export async function readRegistryFlags(flags: RegistryFlags, { terminal }: Run): Promise<RegistryAccess> {
  const { username, passwordStdin = false, registryToken, plainHttp = false } = flags;
  if ((username !== undefined) !== passwordStdin) {
    throw new BoltsealError('USAGE', '--username and --password-stdin go together', {
      hint: 'Write: printf %s "$PASSWORD" | boltseal … --username NAME --password-stdin',
    });
  }
  const password = passwordStdin
    ? Buffer.from(await terminal.readStdin())
        .toString('utf8')
        .replace(/\r?\n$/, '')
    : undefined;
  const credential: RegistryAccess['credential'] =
    registryToken !== undefined
      ? { kind: 'registry-token', token: registryToken }
      : username !== undefined && password !== undefined
        ? { kind: 'basic', username, password }
        : undefined;
  return { ...(plainHttp ? { plainHttp } : {}), ...(credential === undefined ? {} : { credential }) };
}

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
  readonly trust?: string;
}

export function addSigningFlags(command: Command): Command {
  return command
    .option('--identity-token <token>', 'OIDC token that says who signs, or a file that holds it')
    .option('--identity-token-file <file>', 'file that holds the OIDC token')
    .option(
      '--signing-config <file>',
      'which Sigstore services to use, signing config v0.2 (or BOLTSEAL_SIGNING_CONFIG)',
    )
    .option(
      '--trust <file>',
      'trust bundle that names the services, as boltseal trust bundle writes it (or BOLTSEAL_TRUST)',
    );
}

export function readSigningFlags(flags: SigningFlags, { context }: Run): SigningOptions {
  const { env } = context;
  const signingConfig = [flags.signingConfig, flags.trust, env['BOLTSEAL_SIGNING_CONFIG'], env['BOLTSEAL_TRUST']].find(
    (path) => path !== undefined && path !== '',
  );
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
