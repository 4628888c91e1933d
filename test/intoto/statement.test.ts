import { describe, expect, test } from 'vitest';
import { preAuthEncoding } from '../../src/intoto/dsse.ts';
import { predicateTypeName, predicateTypeUri } from '../../src/intoto/predicate-types.ts';
import { isAbout, parseStatement, STATEMENT_V1 } from '../../src/intoto/statement.ts';
import { digestOf } from '../../src/oci/digest.ts';

const digest = digestOf('image');
const hex = digest.slice('sha256:'.length);
const statement = {
  _type: STATEMENT_V1,
  subject: [{ digest: { sha256: hex } }],
  predicateType: 'https://example.com/t',
  predicate: {},
};
const parse = (value: unknown) => parseStatement(new TextEncoder().encode(JSON.stringify(value)), 'the statement');

describe('parseStatement', () => {
  test('reads a statement, with or without a predicate', () => {
    expect(parse(statement)).toMatchObject({ predicateType: 'https://example.com/t', predicate: {} });
    const { predicate: _, ...bare } = statement;
    expect(parse(bare).predicate).toBeUndefined();
  });

  test.each([
    ['another _type', { ...statement, _type: 'https://in-toto.io/Statement/v2' }],
    ['no subject', { ...statement, subject: [] }],
    ['a subject without digest', { ...statement, subject: [{ name: 'x' }] }],
    ['no predicate type', { ...statement, predicateType: undefined }],
    ['a predicate that is a number', { ...statement, predicate: 1 }],
  ])('refuses %s', (_name, value) => {
    expect(() => parse(value)).toThrowError(expect.objectContaining({ code: 'STATEMENT_INVALID' }));
  });
});

describe('isAbout', () => {
  test('matches the digest of any subject by the same algorithm', () => {
    expect(
      isAbout(parse({ ...statement, subject: [{ digest: { sha256: '00' } }, { digest: { sha256: hex } }] }), digest),
    ).toBe(true);
  });

  test.each([
    ['another digest', { sha256: digestOf('other').slice(7) }],
    ['the digest under another algorithm', { sha512: hex }],
    ['upper case hex', { sha256: hex.toUpperCase() }],
    ['a prefix', { sha256: hex.slice(0, 32) }],
    ['an inherited property', { constructor: hex }],
  ])('does not match %s', (_name, other) => {
    expect(isAbout(parse({ ...statement, subject: [{ digest: other }] }), digest)).toBe(false);
  });
});

test('the pre-authentication encoding counts bytes, not characters', () => {
  expect(Buffer.from(preAuthEncoding('té', Buffer.from('hello'))).toString()).toBe('DSSEv1 3 té 5 hello');
});

test('predicate types have short names, and only known ones', () => {
  expect(predicateTypeUri('cyclonedx')).toBe('https://cyclonedx.org/bom');
  expect(predicateTypeUri('https://example.com/x')).toBe('https://example.com/x');
  expect(predicateTypeUri('cyclondx')).toBeUndefined();
  expect(predicateTypeUri('constructor')).toBeUndefined();
  expect(predicateTypeName('https://slsa.dev/provenance/v1')).toBe('slsaprovenance1');
});
