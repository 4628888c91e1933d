/**
 * Text that somebody else wrote (an issuer's error, a claim, a program's output) made fit for one line of a message:
 * without tokens, without characters a terminal would obey, and not too long.
 */
export function outsideText(text: string, secrets: readonly string[] = []): string {
  const hidden = secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[redacted]')), text);
  const line = hidden.replaceAll(JWT, '[redacted]').replaceAll(UNPRINTABLE, ' ').replaceAll(/ {2,}/g, ' ').trim();
  return line.length > MAX_CHARACTERS ? `${line.slice(0, MAX_CHARACTERS)}…` : line;
}

/** True for what has the shape of a JSON Web Token (RFC 7519 in the compact form of RFC 7515). */
export function looksLikeToken(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text.trim());
}

const MAX_CHARACTERS = 300;

/** Any base64url of a JSON object with a dot after it: the head of a token, with whatever follows. */
const JWT = /\beyJ[\w-]*\.[\w.-]*/g;

/** Control characters, and the invisible ones that reorder a line or end it. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;
