import { decodeJwt, type JWTPayload } from 'jose';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';

/** An OpenID Connect ID token, looked at but not verified here: the certificate authority does that. */
export interface IdentityToken {
  /** The token itself. Never shown, logged or put in an error. */
  readonly raw: string;
  readonly issuer: string;
  /** The e-mail address, else the subject: what the certificate authority asks a proof for. */
  readonly identity: string;
  readonly audience: readonly string[];
  readonly expiresAt: Date;
  /** Where it was found: "SIGSTORE_ID_TOKEN". */
  readonly origin: string;
}

/** What the public certificate authority, and every other we know of, expects. */
export const DEFAULT_AUDIENCE = 'sigstore';

/**
 * Reads a token's claims and checks what can be checked without its issuer's key, before it is sent anywhere: shape,
 * audience and times.
 *
 * @throws BoltsealError TOKEN_INVALID
 */
export function readIdentityToken(text: string, origin: string, context: Context): IdentityToken {
  const raw = text.trim();
  const claims = decode(raw, origin);
  const { iss: issuer, exp } = claims;
  const audience = [claims.aud ?? []].flat();
  if (issuer === undefined || exp === undefined)
    throw invalid(origin, 'it names no issuer or no time of expiry', SHAPE_HINT);
  checkTimes(claims, origin, context);
  if (!audience.includes(DEFAULT_AUDIENCE)) {
    const found = audience.map((name) => `"${name}"`).join(', ') || 'nobody';
    throw invalid(origin, `it is meant for ${found}, not for "${DEFAULT_AUDIENCE}"`, AUDIENCE_HINT);
  }
  return { raw, issuer, identity: identityOf(claims, origin), audience, expiresAt: new Date(exp * 1000), origin };
}

/** One line for a person: whom the token names, who says so, until when. */
export function describeToken({ identity, issuer, expiresAt, origin }: IdentityToken): string {
  return `${identity}, vouched for by ${issuer} until ${toSecond(expiresAt)} (${origin}; not verified here)`;
}

const SHAPE_HINT = 'An identity token is three parts of base64url with dots between; get a new one from the issuer.';
const AUDIENCE_HINT = `Ask the issuer for a token whose audience is "${DEFAULT_AUDIENCE}".`;
const EXPIRY_HINT = 'Get a new token and sign right away; most issuers give tokens that last a few minutes.';
const EMAIL_HINT = 'Verify the e-mail address with the issuer first, or sign with another identity.';

/** The error of the decoder is not kept as a cause: it may quote the token. */
function decode(raw: string, origin: string): JWTPayload {
  try {
    return decodeJwt(raw);
  } catch {
    throw invalid(origin, 'it is not a JSON Web Token', SHAPE_HINT);
  }
}

function checkTimes({ exp = 0, nbf = 0 }: JWTPayload, origin: string, context: Context): void {
  const now = context.now();
  if (exp * 1000 <= now.getTime())
    throw invalid(
      origin,
      `it expired at ${toSecond(new Date(exp * 1000))}, and now it is ${toSecond(now)}`,
      EXPIRY_HINT,
    );
  if (nbf * 1000 > now.getTime() + CLOCK_SKEW_MS)
    throw invalid(
      origin,
      `it is not valid before ${toSecond(new Date(nbf * 1000))}, and now it is ${toSecond(now)}`,
      "Check this machine's clock.",
    );
}

const CLOCK_SKEW_MS = 60_000;

function identityOf(claims: JWTPayload, origin: string): string {
  const { email, email_verified: verified, sub } = claims;
  if (typeof email === 'string' && email !== '') {
    if (verified !== true) throw invalid(origin, 'its issuer has not verified the e-mail address in it', EMAIL_HINT);
    return email;
  }
  if (sub === undefined || sub === '') throw invalid(origin, 'it names no subject', SHAPE_HINT);
  return sub;
}

function toSecond(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

function invalid(origin: string, problem: string, hint: string): BoltsealError {
  return new BoltsealError('TOKEN_INVALID', `the identity token from ${origin} cannot be used: ${problem}`, { hint });
}
