/** A token in form, with a signature that nobody looks at here. Good for an hour from the fixed clock's now, unless told otherwise. */
export function tokenOf(
  claims: Readonly<Record<string, unknown>> = {},
  now = new Date('2026-11-20T10:00:00Z'),
): string {
  const seconds = now.getTime() / 1000;
  const good = { iss: 'https://issuer.example', aud: 'sigstore', sub: 'job-1', iat: seconds, exp: seconds + 3600 };
  return [{ alg: 'ES256', typ: 'JWT' }, { ...good, ...claims }, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
}
