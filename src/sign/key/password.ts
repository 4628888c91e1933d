import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';

export interface PasswordOptions {
  /** Asks a person, where there is one. Not called when the environment holds the password. */
  readonly askPassword?: (prompt: string) => Promise<string>;
}

/** The variables a password may be in, in the order they are looked at. An empty one is an empty password, as in cosign. */
const VARIABLES = ['BOLTSEAL_PASSWORD', 'COSIGN_PASSWORD'] as const;

/**
 * The password for `what`: from BOLTSEAL_PASSWORD, COSIGN_PASSWORD, or asked for.
 *
 * @throws BoltsealError KEY_PASSWORD when there is nobody to ask
 */
export async function findPassword(what: string, options: PasswordOptions, context: Context): Promise<string> {
  const found = VARIABLES.map((name) => context.env[name]).find((value) => value !== undefined);
  if (found !== undefined) return found;
  if (options.askPassword !== undefined) return options.askPassword(`Password for ${what}: `);
  throw new BoltsealError('KEY_PASSWORD', `there is no password for ${what}`, {
    hint: `Set ${VARIABLES.join(' or ')}, or run this on a terminal to be asked for it.`,
  });
}

export function wrongPassword(what: string): BoltsealError {
  return new BoltsealError('KEY_PASSWORD', `${what} does not open with this password`, {
    hint: `Check the password, which is taken from ${VARIABLES.join(' or ')}; if it is right, the file is damaged.`,
  });
}
