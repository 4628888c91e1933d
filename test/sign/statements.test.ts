import { describe, expect, test } from 'vitest';
import { parseStatement } from '../../src/intoto/statement.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { attestationStatement, makePredicate, signatureStatement } from '../../src/sign/statements.ts';
import { testContext } from '../support/context.ts';

const context = testContext({ now: () => new Date('2026-11-20T10:00:00.123Z') });
const digest = digestOf('an image');
const hex = digest.slice('sha256:'.length);
const subject = { name: 'registry.example/app', digest };

describe('the statement of a signature', () => {
  test('is what cosign 3 signs: a digest without a name, and an empty predicate', () => {
    expect(textOf(signatureStatement(digest))).toBe(
      `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${hex}"}}],` +
        '"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}',
    );
  });

  test('has annotations on its subject when some are given', () => {
    const [found] = parseStatement(signatureStatement(digest, { env: 'prod' }), 'it').subjects;
    expect(found?.annotations).toEqual({ env: 'prod' });
  });

  test('names a sha512 digest as such', () => {
    const [found] = parseStatement(signatureStatement(digestOf('an image', 'sha512')), 'it').subjects;
    expect(Object.keys(found?.digest ?? {})).toEqual(['sha512']);
  });
});

describe('the statement of an attestation', () => {
  test('is what cosign 3 signs: version 0.1, with the repository’s name', () => {
    const predicate = makePredicate('cyclonedx', Buffer.from('{"a":1}'), context);
    expect(textOf(attestationStatement(subject, predicate))).toBe(
      `{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"name":"registry.example/app","digest":{"sha256":"${hex}"}}],` +
        '"predicateType":"https://cyclonedx.org/bom","predicate":{"a":1}}',
    );
  });

  test('keeps the predicate as its author wrote it, digits included', () => {
    const json = '{ "big": 12345678901234567890, "one": 1.0 }';
    const text = textOf(
      attestationStatement(subject, makePredicate('https://x.example/p', Buffer.from(json), context)),
    );
    expect(text).toContain(`"predicate":${json}}`);
  });

  test('wraps any text with the time for custom, and keeps tag-value SPDX as a string', () => {
    const custom = makePredicate('custom', Buffer.from('plain "text"\n'), context);
    expect(JSON.parse(custom.json)).toEqual({ Data: 'plain "text"\n', Timestamp: '2026-11-20T10:00:00Z' });
    const spdx = makePredicate('spdx', Buffer.from('SPDXVersion: SPDX-2.3\n'), context);
    expect([spdx.type, JSON.parse(spdx.json)]).toEqual(['https://spdx.dev/Document', 'SPDXVersion: SPDX-2.3\n']);
  });

  test.for([
    ['a type that is neither a short name nor a URI', 'sbom', '{}', 'USAGE'],
    ['a list', 'cyclonedx', '[]', 'STATEMENT_INVALID'],
    ['a string', 'vuln', '"x"', 'STATEMENT_INVALID'],
    ['what is not JSON', 'cyclonedx', '{', 'JSON_INVALID'],
    ['two values that would break out of their place', 'cyclonedx', '{},"subject":[]', 'JSON_INVALID'],
    ['a key twice', 'cyclonedx', '{"a":1,"a":2}', 'JSON_INVALID'],
    ['bytes that are not UTF-8', 'custom', '\xff\xfe', 'STATEMENT_INVALID'],
  ] as const)('is not made of %s', ([, type, content, code]) => {
    expect(() => makePredicate(type, Buffer.from(content, 'latin1'), context)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
