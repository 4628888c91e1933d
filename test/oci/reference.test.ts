import { describe, expect, test } from 'vitest';
import { formatReference, normaliseHost, parseReference, parseRegistryReference } from '../../src/oci/reference.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('parseReference', () => {
  test.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['bitnami/redis:7', 'docker.io/bitnami/redis:7'],
    ['index.docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['registry-1.docker.io/library/alpine:3', 'docker.io/library/alpine:3'],
    ['localhost/app', 'localhost/app:latest'],
    ['LOCALHOST:5000/app:v1', 'localhost:5000/app:v1'],
    ['GHCR.io/acme/app', 'ghcr.io/acme/app:latest'],
    ['ghcr.io:443/acme/app', 'ghcr.io/acme/app:latest'],
    ['127.0.0.1:5000/a/b/c:1.2_3-x', '127.0.0.1:5000/a/b/c:1.2_3-x'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    [`ghcr.io/acme/app@${DIGEST}`, `ghcr.io/acme/app@${DIGEST}`],
    [`ghcr.io/acme/app:v1@${DIGEST}`, `ghcr.io/acme/app:v1@${DIGEST}`],
    ['docker://ghcr.io/acme/app:v1', 'ghcr.io/acme/app:v1'],
    ['oci:some/dir:v1', 'oci:some/dir:v1'],
    ['oci:some/dir', 'oci:some/dir'],
    [`oci:dir@${DIGEST}`, `oci:dir@${DIGEST}`],
    ['oci-archive:image.tar', 'oci-archive:image.tar'],
    ['docker-archive:image.tar:v1', 'docker-archive:image.tar:v1'],
    ['docker:alpine:3', 'docker:alpine:3'],
    ['dir:/mnt/root', 'dir:/mnt/root'],
  ])('%s is %s', (text, canonical) => {
    expect(formatReference(parseReference(text))).toBe(canonical);
    expect(parseReference(canonical)).toEqual(parseReference(text));
  });

  test.each([
    '',
    'UPPER/case',
    'ghcr.io/Acme/app',
    'ghcr.io/acme/app:',
    `ghcr.io/acme/app:${'x'.repeat(129)}`,
    'ghcr.io/acme//app',
    'ghcr.io/../app',
    'ghcr.io/acme/app@sha256:abc',
    `ghcr.io/acme/app@sha256:${'AB'.repeat(32)}`,
    `ghcr.io/acme/app@md5:${'ab'.repeat(16)}`,
    'user:pass@ghcr.io/acme/app',
    'ghcr.io:port/app',
    'ghcr.io/acme/app:v1 ',
    'oci:',
    'docker:',
  ])('refuses %j with a next step', (text) => {
    expect(() => parseReference(text)).toThrowError(
      expect.objectContaining({ code: 'REFERENCE_INVALID', hint: expect.stringMatching(/./) }),
    );
  });

  test('a digest without a tag has no tag', () => {
    expect(parseRegistryReference(`ghcr.io/acme/app@${DIGEST}`)).not.toHaveProperty('tag');
  });
});

test('one registry has one spelling', () => {
  expect(new Set(['Docker.IO', 'index.docker.io', 'registry-1.docker.io:443'].map(normaliseHost))).toEqual(
    new Set(['docker.io']),
  );
  expect(normaliseHost('ghcr.io:8443')).toBe('ghcr.io:8443');
});
