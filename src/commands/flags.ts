import { Option, type Command } from 'commander';
import { BoltsealError } from '../base/errors.ts';
import { parsePlatform, type Platform } from '../oci/platform.ts';
import type { BundleOutput } from '../actions/bundle-output.ts';
import type { RepeatOptions } from '../actions/open-repeat-rules.ts';
import type { SigningOptions } from '../actions/open-signer.ts';
import { AUTH_FLOWS, type AuthFlow, type SigningIdentityOptions } from '../sign/signing-identity.ts';
import type { Run } from './command.ts';
import { passwordOptions } from './key-password.ts';
import { readTrustFlags, signingConfigFileOf } from './trust-flags.ts';

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
  readonly trust?: string;
  readonly fulcioAuthFlow?: AuthFlow;
  readonly oidcProvider?: string;
  readonly oidcDisableAmbientProviders?: boolean;
  readonly oidcIssuer?: string;
  readonly oidcClientId?: string;
  readonly oidcClientSecretFile?: string;
  readonly oidcRedirectUrl?: string;
  readonly key?: string;
  readonly certificate?: string;
  readonly certificateChain?: string;
  /** commander's form of --no-tlog: true unless the flag is there. */
  readonly tlog: boolean;
  readonly timestamp: boolean;
}

export const KEY_FLAG = '--key <key>';
export const KEY_HELP =
  'a private key: a file, env://VARIABLE, awskms://, azurekms://, gcpkms://, hashivault://, or NAME:// for the plugin sigstore-kms-NAME';

export function addSigningFlags(command: Command): Command {
  return addSignInFlags(command)
    .option('--identity-token <token>', 'OIDC token that says who signs, or a file that holds it')
    .option('--identity-token-file <file>', 'file that holds the OIDC token')
    .option(
      '--signing-config <file>',
      'which Sigstore services to use, signing config v0.2 (or BOLTSEAL_SIGNING_CONFIG)',
    )
    .option('--trust <file>', 'trust bundle that names the services (or BOLTSEAL_TRUST)')
    .option(KEY_FLAG, `sign with ${KEY_HELP}`)
    .option('--certificate <file>', 'certificate for the key, put into the bundle')
    .option('--certificate-chain <file>', 'authorities above the certificate, checked before signing')
    .option('--no-tlog', 'with --key: do not log the signature; most verifiers then reject it')
    .option('--no-timestamp', 'with --key: do not have the time of signing attested');
}

/** How to find out who signs, under cosign's names. */
function addSignInFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--fulcio-auth-flow <flow>', 'sign in this way, whatever the surroundings offer').choices(AUTH_FLOWS),
    )
    .option('--oidc-provider <name>', 'the only ambient provider to ask: github-actions, gitlab, google, spiffe …')
    .option('--oidc-disable-ambient-providers', 'do not take a token that the surroundings offer')
    .option('--oidc-issuer <url>', 'where to sign in (default: as the signing config says)')
    .option('--oidc-client-id <id>', 'who boltseal is to the issuer, and the audience of the token')
    .option('--oidc-client-secret-file <file>', 'file with the client secret')
    .option('--oidc-redirect-url <url>', 'where the issuer sends the browser: http on this machine');
}

function signInOptions(flags: SigningFlags, { terminal }: Run): SigningIdentityOptions {
  const given = {
    token: flags.identityToken,
    tokenFile: flags.identityTokenFile,
    flow: flags.fulcioAuthFlow,
    provider: flags.oidcProvider,
    disableAmbient: flags.oidcDisableAmbientProviders,
    issuer: flags.oidcIssuer,
    clientId: flags.oidcClientId,
    clientSecretFile: flags.oidcClientSecretFile,
    redirectUrl: flags.oidcRedirectUrl,
    interactive: terminal.isInteractive ? true : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export interface RepeatFlags {
  readonly replace?: boolean;
  readonly trustedRoot?: string;
  readonly trust?: string;
}

/** What to do about what the same signer has attached before. --trust is a flag of signing already. */
export function addRepeatFlags(command: Command): Command {
  return command
    .option('--replace', 'put it in the place of what the same signer attached of the same type')
    .option('--trusted-root <file>', 'trusted_root.json to check what is attached with (or BOLTSEAL_TRUSTED_ROOT)');
}

export function readRepeatFlags(flags: RepeatFlags, run: Run): RepeatOptions {
  return { ...readTrustFlags(flags, run), ...(flags.replace === true ? { replace: true } : {}) };
}

export interface OutputFlags {
  readonly bundle?: string;
  /** commander's form of --no-upload: true unless the flag is there. */
  readonly upload: boolean;
}

export function addOutputFlags(command: Command): Command {
  return command
    .option('--bundle <file>', 'write the bundle to this file too')
    .option(
      '--no-upload',
      'with --bundle: attach nothing; "boltseal attach --bundle" does that later, or from elsewhere',
    );
}

export function readOutputFlags({ bundle, upload }: OutputFlags): BundleOutput {
  return { upload, ...(bundle === undefined ? {} : { bundleFile: bundle }) };
}

/** @throws BoltsealError USAGE for flags that need others */
export function readSigningFlags(flags: SigningFlags, run: Run): SigningOptions {
  const signingConfig = signingConfigFileOf(flags, run);
  checkKeyFlags(flags);
  return {
    ...signInOptions(flags, run),
    ...(signingConfig === undefined ? {} : { signingConfigFile: signingConfig }),
    ...(flags.key === undefined ? {} : { key: { ...passwordOptions(run), ...keyOptions(flags.key, flags) } }),
  };
}

function keyOptions(reference: string, flags: SigningFlags): NonNullable<SigningOptions['key']> {
  const { certificate, certificateChain, tlog, timestamp } = flags;
  return {
    reference,
    noLog: !tlog,
    noTimestamp: !timestamp,
    ...(certificate === undefined ? {} : { certificateFile: certificate }),
    ...(certificateChain === undefined ? {} : { certificateChainFile: certificateChain }),
  };
}

function checkKeyFlags({ key, identityToken, identityTokenFile, ...flags }: SigningFlags): void {
  const needsKey = [
    ...(flags.certificate === undefined ? [] : ['--certificate']),
    ...(flags.tlog ? [] : ['--no-tlog']),
    ...(flags.timestamp ? [] : ['--no-timestamp']),
  ];
  if (key === undefined && needsKey.length > 0)
    throw new BoltsealError('USAGE', `${needsKey.join(' and ')} cannot be used without --key`, {
      hint: 'A certificate for an identity lives for minutes: its signatures need the log and the time. Give a --key, or leave this out.',
    });
  if (flags.certificateChain !== undefined && flags.certificate === undefined)
    throw new BoltsealError('USAGE', '--certificate-chain is the chain of a --certificate, and none is given', {
      hint: 'Give the certificate too.',
    });
  if (key !== undefined && (identityToken ?? identityTokenFile) !== undefined)
    throw new BoltsealError('USAGE', '--key and an identity token say two different signers', {
      hint: 'Sign with one of the two.',
    });
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
