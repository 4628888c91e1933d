import { expect, test } from 'vitest';
import { looksLikeToken, outsideText } from '../../src/sign/outside-text.ts';
import { tokenOf } from '../support/tokens.ts';

test('text of others becomes one plain line', () => {
  expect(outsideText(' a\r\nb\u001B[31mc\u202Ed\u2028e ')).toBe('a b [31mc d e');
});

test('tokens and secrets in it are not repeated', () => {
  expect(outsideText(`<${tokenOf()}> and hush`, ['hush', ''])).toBe('<[redacted]> and [redacted]');
});

test('a long text is cut', () => {
  expect(outsideText('a'.repeat(1000))).toHaveLength(301);
});

test('ordinary words stay', () => {
  expect(outsideText('the key is at keys.example.org, über 5.0')).toBe('the key is at keys.example.org, über 5.0');
});

test.for([
  [tokenOf(), true],
  [`${tokenOf()}\n`, true],
  ['eyJhbGciOiJub25lIn0.e30.', true],
  ['./token.jwt', false],
  ['a.b', false],
  ['', false],
] as const)('%j looks like a token: %s', ([text, expected]) => {
  expect(looksLikeToken(text)).toBe(expected);
});
