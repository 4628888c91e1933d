import { describe, expect, test } from 'vitest';
import { parseRegistryReference, repositoryName } from '../../src/oci/reference.ts';
import { compileImagePattern } from '../../src/policy/image-pattern.ts';

function matches(pattern: string, image: string): boolean {
  const compiled = compileImagePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.problem);
  return compiled.value.matches(repositoryName(parseRegistryReference(image)));
}

describe('a pattern', () => {
  test.each([
    ['registry.example.com/app', 'registry.example.com/app:1.0'],
    ['registry.example.com/app', `registry.example.com/app@sha256:${'0'.repeat(64)}`],
    ['registry.example.com/app', 'REGISTRY.example.com:443/app'],
    ['Registry.Example.com:443/app', 'registry.example.com/app'],
    ['registry.example.com/prod/*', 'registry.example.com/prod/app'],
    ['registry.example.com/prod/**', 'registry.example.com/prod/team/app'],
    ['registry.example.com/**/app', 'registry.example.com/a/b/app'],
    ['registry.example.com/app-*', 'registry.example.com/app-one'],
    ['*.example.com/app', 'eu.example.com/app'],
    ['localhost:5000/**', 'localhost:5000/app'],
    ['127.0.0.1:*/demo/**', '127.0.0.1:41234/demo/app'],
    ['docker.io/library/nginx', 'nginx'],
    ['nginx', 'docker.io/nginx'],
    ['nginx', 'index.docker.io/library/nginx'],
    ['nginx', 'registry-1.docker.io/library/nginx:1.27'],
    ['index.docker.io/acme/*', 'acme/app'],
    ['acme/*', 'docker.io/acme/app'],
    ['**', 'anything.example/at/all'],
  ])('%s is about %s', (pattern, image) => expect(matches(pattern, image)).toBe(true));

  test.each([
    ['registry.example.com/app', 'registry.example.com/app-evil'],
    ['registry.example.com/app', 'registry.example.com/evil/app'],
    ['registry.example.com/app', 'evil.example/registry.example.com/app'],
    ['registry.example.com/app', 'registry.example.com.evil.example/app'],
    ['registry.example.com/app', 'registryxexample.com/app'],
    ['registry.example.com/app', 'registry.example.com:8443/app'],
    ['registry.example.com/prod/*', 'registry.example.com/prod/team/app'],
    ['registry.example.com/prod/**', 'registry.example.com/production/app'],
    ['*.example.com/app', 'example.com/app'],
    ['*.example.com/app', 'evil.example/x.example.com/app'],
    ['nginx', 'acme/nginx'],
    ['127.0.0.1:*/demo/**', '127.0.0.1/demo/app'],
    ['127.0.0.1:*/demo/**', '127.0.0.10:5000/demo/app'],
    ['acme/*', 'ghcr.io/acme/app'],
  ])('%s is not about %s', (pattern, image) => expect(matches(pattern, image)).toBe(false));
});
