import { expect, test } from 'vitest';
import { formatPlatform, matchesPlatform, parsePlatform } from '../../src/oci/platform.ts';

test.each([
  ['linux/amd64', 'linux/amd64'],
  ['linux/x86_64', 'linux/amd64'],
  ['linux/arm/v7', 'linux/arm/v7'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['windows/amd64:10.0.17763.1', 'windows/amd64:10.0.17763.1'],
])('%s is %s', (text, canonical) => {
  expect(formatPlatform(parsePlatform(text))).toBe(canonical);
});

test.each(['linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux amd64'])('refuses %j', (text) => {
  expect(() => parsePlatform(text)).toThrowError(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
});

test('what is not asked for matches anything; what is asked for must be there', () => {
  expect(matchesPlatform(parsePlatform('linux/arm'), { os: 'linux', architecture: 'arm', variant: 'v6' })).toBe(true);
  expect(matchesPlatform(parsePlatform('linux/arm/v7'), { os: 'linux', architecture: 'arm', variant: 'v6' })).toBe(
    false,
  );
  expect(matchesPlatform(parsePlatform('linux/arm/v7'), { os: 'linux', architecture: 'arm' })).toBe(false);
  expect(matchesPlatform(parsePlatform('linux/arm64'), { os: 'linux', architecture: 'arm64', variant: 'v8' })).toBe(
    true,
  );
});
