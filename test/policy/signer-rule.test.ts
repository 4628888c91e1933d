import { describe, expect, test } from 'vitest';
import { githubRule, keylessRule, type SignerRule } from '../../src/policy/signer-rule.ts';
import { exactRule, globRule, regexRule, type TextRuleResult } from '../../src/policy/text-rule.ts';
import { workflow } from '../support/attestations.ts';

const ISSUER = 'https://token.actions.githubusercontent.com';
const MAIN = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';

function identityIs(rule: SignerRule, identity: string): boolean {
  return rule.match(workflow(identity)).ok;
}

function unwrap(result: TextRuleResult): Parameters<typeof keylessRule>[2] {
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

describe('an exact identity', () => {
  test('is that identity', () => expect(identityIs(keylessRule('r', ISSUER, exactRule(MAIN)), MAIN)).toBe(true));

  test.each([
    `https://evil.example/?x=${MAIN}`,
    `${MAIN}-evil`,
    MAIN.replace('.yml', 'xyml'),
    MAIN.toUpperCase(),
    `${MAIN}\n`,
    '',
  ])('is not %s', (identity) => expect(identityIs(keylessRule('r', ISSUER, exactRule(MAIN)), identity)).toBe(false));

  test.each(['.*', '**', `^${MAIN}$`, 'https://github.com/*'])('holding the pattern %s is literal', (pattern) => {
    const rule = keylessRule('r', ISSUER, exactRule(pattern));
    expect(identityIs(rule, MAIN)).toBe(false);
    expect(identityIs(rule, pattern)).toBe(true);
  });
});

describe('an issuer', () => {
  test.each([
    `${ISSUER}/`,
    `${ISSUER}.evil.example`,
    ISSUER.replace('token.', 'tokenx'),
    `https://evil.example/?${ISSUER}`,
  ])('is not %s', (issuer) => {
    const rule = keylessRule('r', issuer, exactRule(MAIN));
    expect(rule.match(workflow(MAIN))).toMatchObject({
      ok: false,
      difference: expect.stringContaining('issuer is') as string,
    });
  });
});

describe('a glob', () => {
  const rule = keylessRule(
    'r',
    ISSUER,
    unwrap(globRule('https://github.com/acme/*/.github/workflows/release.yml@refs/tags/v**')),
  );
  const of = (repository: string, ref: string): string =>
    `https://github.com/${repository}/.github/workflows/release.yml@${ref}`;

  test('stands for a segment, or for anything', () => {
    expect(identityIs(rule, of('acme/app', 'refs/tags/v1.0'))).toBe(true);
    expect(identityIs(rule, of('acme/app', 'refs/tags/v1/rc'))).toBe(true);
  });

  test.each([
    of('acme/app/evil', 'refs/tags/v1'),
    of('acme-evil/app', 'refs/tags/v1'),
    of('acme/app', 'refs/heads/main'),
    `x${of('acme/app', 'refs/tags/v1')}`,
  ])('is not %s', (identity) => expect(identityIs(rule, identity)).toBe(false));
});

describe('an expression', () => {
  test('is anchored on both sides of every alternative', async () => {
    const rule = keylessRule('r', ISSUER, unwrap(await regexRule('alice@example[.]com|bob@example[.]com')));
    expect(identityIs(rule, 'alice@example.com')).toBe(true);
    expect(identityIs(rule, 'bob@example.com')).toBe(true);
    for (const evil of [
      'alice@example.com.evil',
      'evil-bob@example.com',
      'alice@example.com|bob@example.com',
      'alice@example.com\n',
    ])
      expect(identityIs(rule, evil)).toBe(false);
  });

  test.each(['(?m)^alice$', '(?s).*alice', '^alice', 'alice$'])(
    '%s matches the whole text or nothing',
    async (pattern) => {
      const rule = keylessRule('r', ISSUER, unwrap(await regexRule(pattern)));
      expect(identityIs(rule, 'alice')).toBe(true);
      expect(identityIs(rule, 'alice\nevil')).toBe(false);
    },
  );

  test('takes no longer for a text made to be slow', async () => {
    const rule = keylessRule('r', ISSUER, unwrap(await regexRule('(a+)+b')));
    expect(identityIs(rule, 'a'.repeat(2000))).toBe(false);
  });
});

describe('a GitHub workflow', () => {
  const rule = githubRule('release', {
    repository: 'acme/app',
    workflow: '.github/workflows/release.yml',
    ref: unwrap(globRule('refs/heads/main')),
  });
  const good = {
    sourceRepositoryUri: 'https://github.com/acme/app',
    sourceRepositoryRef: 'refs/heads/main',
    buildConfigUri: 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main',
  };

  test('is one by its extensions', () => expect(rule.match(workflow(MAIN, good)).ok).toBe(true));

  test.each([
    [
      'another repository',
      { sourceRepositoryUri: 'https://github.com/acme/app-evil' },
      'repository is https://github.com/acme/app-evil',
    ],
    [
      'another branch',
      { sourceRepositoryRef: 'refs/heads/main-evil', buildConfigUri: `${good.buildConfigUri}-evil` },
      'ref is refs/heads/main-evil',
    ],
    ['another workflow', { buildConfigUri: good.buildConfigUri.replace('release', 'evil') }, 'workflow is'],
    [
      'a workflow at another ref',
      { buildConfigUri: good.buildConfigUri.replace('main', 'evil') },
      'the certificate has no workflow',
    ],
    ['no repository', { sourceRepositoryUri: undefined }, 'the certificate has no repository'],
  ])('is not one with %s', (_what, change, difference) => {
    const extensions = Object.fromEntries(
      Object.entries({ ...good, ...change }).filter(([, value]) => value !== undefined),
    );
    expect(rule.match(workflow(MAIN, extensions))).toMatchObject({
      ok: false,
      difference: expect.stringContaining(difference) as string,
    });
  });

  test('is not one by the text of the identity alone', () => expect(rule.match(workflow(MAIN)).ok).toBe(false));

  test('is not a key', () => {
    expect(rule.match({ kind: 'key', fingerprint: `sha256:${'0'.repeat(64)}` as never }).ok).toBe(false);
  });
});
