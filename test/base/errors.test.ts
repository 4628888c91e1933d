import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BoltsealError, isBoltsealError, messageOf, systemCodeOf } from '../../src/base/errors.ts';
import { ERROR_CODES } from '../../src/base/error-codes.ts';
import { VERSION } from '../../src/base/version.ts';

test('an error keeps its code, hint and cause, and knows its exit code', () => {
  const cause = new Error('below');
  const error = new BoltsealError('REGISTRY_UNREACHABLE', 'no answer', { hint: 'Try again.', cause });
  expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE', hint: 'Try again.', cause, exitCode: 3 });
  expect(isBoltsealError(error)).toBe(true);
  expect(isBoltsealError(error, 'NOT_FOUND')).toBe(false);
  expect(isBoltsealError(cause)).toBe(false);
});

test('a malformed policy denies, an unreachable registry does not', () => {
  expect(ERROR_CODES.POLICY_INVALID.exit).toBe(1);
  expect(Object.entries(ERROR_CODES).filter(([code, { exit }]) => exit === 1 && !code.startsWith('POLICY_'))).toEqual(
    [],
  );
});

test('finds the system code wherever it is in the chain', () => {
  const system = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  expect(systemCodeOf(new Error('outer', { cause: new Error('middle', { cause: system }) }))).toBe('ECONNREFUSED');
  expect(systemCodeOf(new BoltsealError('USAGE', 'x', { hint: 'y' }))).toBeUndefined();
});

test('messages are one line', () => {
  expect(messageOf(new Error('a\n  b'))).toBe('a b');
  expect(messageOf(undefined)).toBe('undefined');
});

test('the version is the package’s', () => {
  expect(VERSION).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
});
