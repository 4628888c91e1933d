import { decodeJwt, type JWTPayload } from 'jose';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { outsideText } from './outside-text.ts';

/** An OpenID Connect ID token, looked at but not verified here: the certificate authority does that. */
export interface IdentityToken {
  /** The token itself. Never shown, logged or put in an error. */
  readonly raw: string;
  readonly issuer: string;
  /** Who knows the person, where the issuer only passes that on (Dex): certificates of the public instance name this one. */
  readonly upstreamIssuer?: string;
  /** The e-mail address, else the subject: what the certificate authority asks a proof for. */
  readonly identity: string;
  readonly audience: readonly string[];
  readonly expiresAt: Date;
  /** Where it was found: "SIGSTORE_ID_TOKEN". */
  readonly origin: string;
}

/** Where a token was found, and whom it has to be for. */
export interface TokenSource {
  readonly origin: string;
  /** By default what every certificate authority we know of expects. */
  readonly audience?: string;
}

/** What the public certificate authority, and every other we know of, expects. */
export const DEFAULT_AUDIENCE = 'sigstore';

/**
 * Reads a token's claims and checks what can be checked without its issuer's key, before it is sent anywhere: shape,
 * audience and times.
 *
 * @throws BoltsealError TOKEN_INVALID
 */
export function readIdentityToken(text: string, source: TokenSource, context: Context): IdentityToken {
  const { origin, audience: wanted = DEFAULT_AUDIENCE } = source;
  const raw = text.trim();
  const claims = decode(raw, origin);
  checkTypes(claims, origin);
  const { iss: issuer, exp } = claims;
  const audience = [claims.aud ?? []].flat();
  if (issuer === undefined || exp === undefined)
    throw invalid(origin, 'it names no issuer or no time of expiry', SHAPE_HINT);
  checkTimes(claims, origin, context);
  if (!audience.includes(wanted)) {
    const found = audience.map((name) => `"${outsideText(name)}"`).join(', ') || 'nobody';
    throw invalid(origin, `it is meant for ${found}, not for "${wanted}"`, AUDIENCE_HINT(wanted));
  }
  const upstreamIssuer = upstreamOf(claims);
  return {
    raw,
    issuer,
    ...(upstreamIssuer === undefined ? {} : { upstreamIssuer }),
    identity: identityOf(claims, origin),
    audience,
    expiresAt: new Date(exp * 1000),
    origin,
  };
}

/** One line for a person: whom the token names, who says so, until when. */
export function describeToken({ identity, issuer, upstreamIssuer, expiresAt, origin }: IdentityToken): string {
  const issuers = [...(upstreamIssuer === undefined ? [] : [upstreamIssuer]), issuer].map((name) => outsideText(name));
  return `${outsideText(identity)}, vouched for by ${issuers.join(' through ')} until ${toSecond(expiresAt)} (${origin}; not verified here)`;
}

const SHAPE_HINT = 'An identity token is three parts of base64url with dots between; get a new one from the issuer.';
const AUDIENCE_HINT = (wanted: string): string => `Ask the issuer for a token whose audience is "${wanted}".`;
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

/** The types of RFC 7519, section 4.1, which decoding does not look at: whoever made the token chose them. */
function checkTypes(claims: JWTPayload, origin: string): void {
  const { iss, sub, aud, exp, nbf }: Readonly<Record<string, unknown>> = claims;
  const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
  const isTime = (value: unknown): boolean =>
    value === undefined || (typeof value === 'number' && Math.abs(value) <= MAX_SECONDS);
  const wrong = [
    ...Object.entries({ iss, sub }).filter(([, value]) => !isText(value)),
    ...Object.entries({ exp, nbf }).filter(([, value]) => !isTime(value)),
    ...Object.entries({ aud }).filter(([, value]) => ![value].flat().every(isText)),
  ].map(([name]) => name);
  if (wrong.length > 0) throw invalid(origin, `its claim ${wrong.join(' and ')} is not what it should be`, SHAPE_HINT);
}

/** The year 9999: beyond it there is no such time in a certificate. */
const MAX_SECONDS = 253_402_300_799;

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

/** Dex's claim for the connector a person came through; Sigstore's connectors are named by their issuer. */
function upstreamOf({ federated_claims: federated }: JWTPayload): string | undefined {
  const connector = (federated as { connector_id?: unknown } | undefined)?.connector_id;
  return typeof connector === 'string' && URL.canParse(connector) ? connector : undefined;
}

function toSecond(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

function invalid(origin: string, problem: string, hint: string): BoltsealError {
  return new BoltsealError('TOKEN_INVALID', `the identity token from ${origin} cannot be used: ${problem}`, { hint });
}
