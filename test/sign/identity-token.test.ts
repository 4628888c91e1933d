import { UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { BoltsealError } from '../../src/base/errors.ts';
import { describeToken, readIdentityToken } from '../../src/sign/identity-token.ts';
import { testContext } from '../support/context.ts';

const context = testContext({ now: () => new Date('2026-11-20T10:00:00Z') });
const now = context.now().getTime() / 1000;
const good = { iss: 'https://issuer.example', sub: 'https://ci.example/job', aud: 'sigstore', exp: now + 300 };

describe('an identity token', () => {
  test('is read when it is for sigstore and not expired', () => {
    const token = readIdentityToken(` ${tokenOf(good)}\n`, { origin: 'SIGSTORE_ID_TOKEN' }, context);
    expect(token).toMatchObject({ raw: tokenOf(good), issuer: good.iss, identity: good.sub, audience: ['sigstore'] });
    expect(token.expiresAt).toEqual(new Date('2026-11-20T10:05:00Z'));
    expect(describeToken(token)).toBe(
      'https://ci.example/job, vouched for by https://issuer.example until 2026-11-20T10:05:00Z (SIGSTORE_ID_TOKEN; not verified here)',
    );
  });

  test('names the e-mail address when it has a verified one', () => {
    const claims = { ...good, email: 'dev@example.org', email_verified: true };
    expect(readIdentityToken(tokenOf(claims), { origin: 'a file' }, context).identity).toBe('dev@example.org');
  });

  test('names who knows the person, where the issuer only passes that on', () => {
    const claims = { ...good, federated_claims: { connector_id: 'https://accounts.example', user_id: '1' } };
    const token = readIdentityToken(tokenOf(claims), { origin: 'a file' }, context);
    expect(token.upstreamIssuer).toBe('https://accounts.example');
    expect(describeToken(token)).toContain('vouched for by https://accounts.example through https://issuer.example');
  });

  test.for([null, 'x', { connector_id: 5 }, { connector_id: 'ldap' }])('has no such one in %j', (federated) => {
    const claims = { ...good, federated_claims: federated };
    expect(readIdentityToken(tokenOf(claims), { origin: 'a file' }, context).upstreamIssuer).toBeUndefined();
  });

  test('may be for several audiences', () => {
    const token = readIdentityToken(tokenOf({ ...good, aud: ['other', 'sigstore'] }), { origin: 'a file' }, context);
    expect(token.audience).toEqual(['other', 'sigstore']);
  });

  test.for([
    ['has expired', { ...good, exp: now }, 'it expired at 2026-11-20T10:00:00Z, and now it is 2026-11-20T10:00:00Z'],
    ['has no expiry', { ...good, exp: undefined }, 'it names no issuer or no time of expiry'],
    ['has no issuer', { ...good, iss: undefined }, 'it names no issuer or no time of expiry'],
    ['is for another audience', { ...good, aud: 'vault' }, 'it is meant for "vault", not for "sigstore"'],
    ['is for nobody', { ...good, aud: undefined }, 'it is meant for nobody, not for "sigstore"'],
    ['is not valid yet', { ...good, nbf: now + 120 }, 'it is not valid before 2026-11-20T10:02:00Z'],
    ['has an e-mail address nobody verified', { ...good, email: 'a@b.c' }, 'has not verified the e-mail address'],
    ['expires never', { ...good, exp: 'never' }, 'its claim exp is not what it should be'],
    ['expires after all time', { ...good, exp: 1e20 }, 'its claim exp is not what it should be'],
    ['begins at no time', { ...good, nbf: {} }, 'its claim nbf is not what it should be'],
    ['has a number as issuer', { ...good, iss: 5 }, 'its claim iss is not what it should be'],
    ['has a list as subject', { ...good, sub: ['a'] }, 'its claim sub is not what it should be'],
    ['has a number as audience', { ...good, aud: ['sigstore', 5] }, 'its claim aud is not what it should be'],
    ['names nobody', { ...good, sub: undefined }, 'it names no subject'],
  ] as const)('is refused when it %s', ([, claims, problem]) => {
    const error = refusal(tokenOf(claims));
    expect(error).toMatchObject({ code: 'TOKEN_INVALID', exitCode: 3 });
    expect(error.message).toContain(problem);
    expect(error.hint).toMatch(/^[A-Z].*\.$/);
  });

  test.for(['secret', 'secret.secret.secret', '', 'eyJhbGciOiJub25lIn0.c2VjcmV0.'])(
    'is refused without being quoted when it is not a token: "%s"',
    (text) => {
      const error = refusal(text);
      expect(error.code).toBe('TOKEN_INVALID');
      expect(error.cause).toBeUndefined();
      expect(error.message).not.toContain(text.slice(0, 6) || 'eyJ');
    },
  );
});

function tokenOf(claims: Readonly<Record<string, unknown>>): string {
  return new UnsecuredJWT(JSON.parse(JSON.stringify(claims)) as Record<string, unknown>).encode();
}

function refusal(text: string): BoltsealError {
  try {
    readIdentityToken(text, { origin: 'the test' }, context);
  } catch (error) {
    if (error instanceof BoltsealError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
