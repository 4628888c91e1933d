import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import { chooseServices } from '../sign/choose-services.ts';
import { findIdentityToken } from '../sign/find-token.ts';
import { describeToken } from '../sign/identity-token.ts';
import { keylessSigner } from '../sign/keyless.ts';
import { PUBLIC_SIGNING_CONFIG } from '../sign/public-services.ts';
import { parseSigningConfig } from '../sign/signing-config.ts';
import type { StatementSigner } from '../sign/signer.ts';
import { readLocalFile } from './read-file.ts';

/** Who signs, and at which services. */
export interface SigningOptions {
  /** An identity token, or a file that holds one. */
  readonly token?: string;
  readonly tokenFile?: string;
  /** A signing config v0.2; the public-good services when absent. */
  readonly signingConfigFile?: string;
  /** Only logs of this API version; the highest on offer when absent. */
  readonly rekorVersion?: 1 | 2;
}

/**
 * Makes a signer, with one certificate for all that it signs. The token is looked at, and whom it names is said, before
 * anything is sent.
 *
 * @throws BoltsealError TOKEN_MISSING, TOKEN_INVALID, SIGNING_CONFIG_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function openSigner(options: SigningOptions, context: Context): Promise<StatementSigner> {
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
  const first = await findIdentityToken(options, context);
  context.emit({ kind: 'step', message: `signing as ${describeToken(first)}` });
  let unused: typeof first | undefined = first;
  return keylessSigner({
    services,
    // A long batch outlives its certificate, and asks for a token again.
    getToken: async (now) => {
      const token = unused ?? (await findIdentityToken(options, now));
      unused = undefined;
      return token;
    },
  });
}
