import { describe, expect, test } from 'vitest';
import { licenseTerm } from '../../src/bom/license-terms.ts';
import { subjectName, subjectPurl, type ImageSubject } from '../../src/bom/subject.ts';
import { parseSupplier } from '../../src/bom/supplier.ts';
import { uuidOf } from '../../src/bom/uuid.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { memoryImage } from '../support/memory-image.ts';

const { image } = memoryImage([]);
const subject = (reference: string): ImageSubject => ({ ...image, reference: parseReference(reference) });

test.for([
  ['ghcr.io/acme/web:1', 'web', `?arch=amd64&repository_url=ghcr.io%2Facme%2Fweb&tag=1`],
  ['oci:/tmp/some/Layout:v1', 'Layout', '?arch=amd64&tag=v1'],
  ['oci-archive:/tmp/app.oci.tar.gz', 'app', '?arch=amd64'],
  ['docker:app:1', 'app', '?arch=amd64'],
  ['dir:/', 'image', '?arch=amd64'],
] as const)('%s is called %s', ([reference, name, qualifiers]) => {
  expect(subjectName(subject(reference))).toBe(name);
  expect(subjectPurl(subject(reference))).toBe(`pkg:oci/${name.toLowerCase()}@${image.digest}${qualifiers}`);
});

test.for([
  ['A B <a@b.org>', { name: 'A B', email: 'a@b.org' }],
  ['A <a@b.org> (https://b.org)', { name: 'A', email: 'a@b.org' }],
  ['A (https://b.org)', { name: 'A' }],
  ['a@b.org', { email: 'a@b.org' }],
  ['A <not mail>', { name: 'A' }],
  ['', {}],
] as const)('the supplier of %j', ([text, expected]) => {
  expect(parseSupplier(text)).toEqual(expected);
});

test.for([
  ['MIT', 'id'],
  ['Apache-2.0+', 'expression'],
  ['MIT OR Apache-2.0', 'expression'],
  ['GPL-2.0-only WITH Classpath-exception-2.0', 'expression'],
  ['LicenseRef-own', 'expression'],
  ['mit', 'name'],
  ['GPLv2', 'name'],
  ['', 'name'],
] as const)('the licence %j is an SPDX %s', ([text, kind]) => {
  expect(licenseTerm(text).kind).toBe(kind);
});

describe('a name-based UUID', () => {
  test('is the same for the same parts, and version 5', () => {
    expect(uuidOf(['a', undefined])).toBe(uuidOf(['a', undefined]));
    expect(uuidOf(['a'])).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('keeps parts apart', () => {
    expect(uuidOf(['ab', 'c'])).not.toBe(uuidOf(['a', 'bc']));
  });
});
