import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import { chooseIssuer, chooseServices } from '../sign/choose-services.ts';
import { keylessSigner } from '../sign/keyless.ts';
import { obtainIdentityToken } from '../sign/obtain-identity-token.ts';
import { PUBLIC_SIGNING_CONFIG } from '../sign/public-services.ts';
import { parseSigningConfig } from '../sign/signing-config.ts';
import type { MessageSigner, StatementSigner } from '../sign/signer.ts';
import type { SigningIdentityOptions } from '../sign/signing-identity.ts';
import { readLocalFile } from './read-file.ts';

/** Who signs, and at which services. */
export interface SigningOptions extends SigningIdentityOptions {
  /** A signing config v0.2; the public-good services when absent. */
  readonly signingConfigFile?: string;
  /** Only logs of this API version; the highest on offer when absent. */
  readonly rekorVersion?: 1 | 2;
}

/**
 * Makes a signer, with one certificate for all that it signs. The token is looked at, and whom it names is said, before
 * anything is sent.
 *
 * @throws BoltsealError TOKEN_MISSING, TOKEN_INVALID, SIGNING_CONFIG_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE, USAGE
 */
export async function openSigner(options: SigningOptions, context: Context): Promise<StatementSigner & MessageSigner> {
  const { signingConfigFile: path } = options;
  const config =
    path === undefined
      ? PUBLIC_SIGNING_CONFIG
      : parseSigningConfig(await readLocalFile(path, 'the signing config', LIMITS.trustRootBytes), path);
  const services = chooseServices(
    config,
    options.rekorVersion === undefined ? {} : { rekorVersion: options.rekorVersion },
    context,
  );
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
