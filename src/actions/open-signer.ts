import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import { chooseIssuer, chooseServices, chooseWitnesses } from '../sign/choose-services.ts';
import { keySigner } from '../sign/key/key-signer.ts';
import { openKey } from '../sign/key/open-key.ts';
import { readOwnCertificate, type OwnCertificate } from '../sign/key/own-certificate.ts';
import type { PasswordOptions } from '../sign/key/password.ts';
import type { SigningKey } from '../sign/key/signing-key.ts';
import { keylessSigner } from '../sign/keyless.ts';
import { obtainIdentityToken } from '../sign/obtain-identity-token.ts';
import { PUBLIC_SIGNING_CONFIG } from '../sign/public-services.ts';
import { parseSigningConfig, type SigningConfig, type WitnessServices } from '../sign/signing-config.ts';
import type { SigningIdentityOptions } from '../sign/signing-identity.ts';
import type { MessageSigner, StatementSigner } from '../sign/signer.ts';
import { readLocalFile } from './read-file.ts';

/** Who signs, and at which services. */
export interface SigningOptions extends SigningIdentityOptions {
  /** A signing config v0.2; the public-good services when absent. */
  readonly signingConfigFile?: string;
  /** Only logs of this API version; the highest on offer when absent. */
  readonly rekorVersion?: 1 | 2;
  readonly key?: KeyOptions;
}

/** A key of one's own, instead of an identity. */
export interface KeyOptions extends PasswordOptions {
  /** A file, `env://VARIABLE`, a key service or a plugin: see `openKey`. */
  readonly reference: string;
  /** A certificate for the key, PEM or DER, and the authorities above it, PEM. */
  readonly certificateFile?: string;
  readonly certificateChainFile?: string;
  /** Signs without a log entry, or without a timestamp; what is lost by that is said. */
  readonly noLog?: boolean;
  readonly noTimestamp?: boolean;
}

/**
 * Makes a signer: with a key where one is given, else with one certificate for all that it signs. The token is looked at,
 * and whom it names is said, before anything is sent.
 *
 * @throws BoltsealError TOKEN_MISSING, TOKEN_INVALID, KEY_INVALID, KEY_PASSWORD, KEY_SERVICE_FAILED,
 *   SIGNING_CONFIG_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function openSigner(options: SigningOptions, context: Context): Promise<StatementSigner & MessageSigner> {
  const { signingConfigFile: path, rekorVersion, key } = options;
  const config =
    path === undefined
      ? PUBLIC_SIGNING_CONFIG
      : parseSigningConfig(await readLocalFile(path, 'the signing config', LIMITS.trustRootBytes), path);
  const choice = rekorVersion === undefined ? {} : { rekorVersion };
  if (key !== undefined) return openKeySigner(key, chooseWitnesses(config, choice, context), context);
  return openKeylessSigner(options, config, context);
}

async function openKeylessSigner(
  options: SigningOptions,
  config: SigningConfig,
  context: Context,
): Promise<StatementSigner & MessageSigner> {
  const choice = options.rekorVersion === undefined ? {} : { rekorVersion: options.rekorVersion };
  const services = chooseServices(config, choice, context);
  const issuer = options.issuer ?? chooseIssuer(config, context);
  const identity = { ...options, ...(issuer === undefined ? {} : { issuer }) };
  const first = await obtainIdentityToken(identity, context);
  let unused: typeof first | undefined = first;
  return keylessSigner({
    services,
    // A long batch outlives its certificate, and asks for a token again.
    getToken: async (now) => {
      const token = unused ?? (await obtainIdentityToken(identity, now));
      unused = undefined;
      return token;
    },
  });
}

async function openKeySigner(
  options: KeyOptions,
  { rekor, timestampAuthorities }: WitnessServices,
  context: Context,
): Promise<StatementSigner & MessageSigner> {
  const key = await openKey(options.reference, options, context);
  const certificate = await openCertificate(options, key, context);
  const services = {
    rekor: options.noLog === true ? [] : rekor,
    timestampAuthorities: options.noTimestamp === true ? [] : timestampAuthorities,
  };
  return keySigner({ key, services, ...(certificate === undefined ? {} : { certificate }) });
}

async function openCertificate(
  { certificateFile, certificateChainFile }: KeyOptions,
  key: SigningKey,
  context: Context,
): Promise<OwnCertificate | undefined> {
  if (certificateFile === undefined) return undefined;
  const read = (path: string): Promise<Uint8Array> => readLocalFile(path, 'the certificate', LIMITS.keyFileBytes);
  const chain = certificateChainFile === undefined ? {} : { chain: await read(certificateChainFile) };
  return readOwnCertificate({ certificate: await read(certificateFile), ...chain }, key, context);
}
