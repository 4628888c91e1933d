import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';

/** Somewhere a run may get an identity token without a person, because of where it runs. */
export interface AmbientProvider {
  /** What --oidc-provider calls it; cosign's name where cosign has one. */
  readonly name: string;
  /** For people: "GitHub Actions". */
  readonly title: string;
  /** Whether the surroundings offer a token. Cheap: no request is sent to find out. */
  readonly isPresent: (context: Context) => boolean | Promise<boolean>;
  /**
   * Asks for a token for this audience. What comes back is not looked at yet.
   *
   * @throws BoltsealError TOKEN_MISSING when the surroundings are not there, TOKEN_INVALID when they give no token,
   *   LIMIT_EXCEEDED, FILE_NOT_FOUND, FILE_UNREADABLE, INTERRUPTED
   */
  readonly fetch: (audience: string, context: Context) => Promise<string>;
  /** Where the run visibly is in these surroundings but is offered no token: what to change, as a whole sentence. */
  readonly advice?: (audience: string, context: Context) => string | undefined;
}

/** A variable that is set and not empty. */
export function variable({ env }: Pick<Context, 'env'>, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

/** For a provider that was asked for by name where it is not. */
export function notOffered({ title }: Pick<AmbientProvider, 'title'>, missing: string, hint?: string): BoltsealError {
  return new BoltsealError('TOKEN_MISSING', `${title} offers no identity token here: ${missing}`, {
    hint: hint ?? `Run this in ${title}, or choose another way to get a token.`,
  });
}
