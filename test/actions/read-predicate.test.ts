import { describe, expect, test } from 'vitest';
import { readPredicate } from '../../src/actions/read-predicate.ts';
import { testContext } from '../support/context.ts';

const GOOD: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  cyclonedx: { bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ type: 'library', name: 'a' }] },
  spdxjson: { spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT', name: 'app' },
  slsaprovenance1: {
    buildDefinition: { buildType: 'https://example.org/b', externalParameters: {} },
    runDetails: { builder: { id: 'https://example.org/builder' } },
  },
  slsaprovenance02: { builder: { id: 'https://example.org/builder' }, buildType: 'https://example.org/b' },
  openvex: { '@context': 'https://openvex.dev/ns/v0.2.0', statements: [{ status: 'fixed' }] },
  vuln: {
    invocation: {},
    scanner: { uri: 'pkg:scanner' },
    metadata: { scanStartedOn: '2026-01-01T00:00:00Z', scanFinishedOn: '2026-01-01T00:01:00Z' },
  },
};
const read = (type: string | undefined, value: unknown, context = testContext()): ReturnType<typeof readPredicate> =>
  readPredicate(type, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), context);
const TYPES = Object.entries(GOOD);

describe('a predicate of its type', () => {
  test.each(TYPES)('%s is taken, and is recognised without --type, which is said', (name, good) => {
    const context = testContext();
    expect(read(undefined, good, context)).toEqual(read(name, good));
    expect(context.events).toEqual([{ kind: 'step', message: expect.stringContaining(` ${name},`) }]);
  });

  test('SPDX 3 is JSON with a graph, and a tag-value document is text', () => {
    const spdx3 = { '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld', '@graph': [] };
    expect(read(undefined, spdx3)).toEqual(read('spdxjson', spdx3));
    const text = '# made by hand\nSPDXVersion: SPDX-2.3\n';
    expect(read(undefined, text)).toEqual(read('spdx', text));
  });

  test('of a type that nobody here knows is anything', () => {
    expect(read('https://example.org/own', { any: 'thing' }).json).toBe('{"any":"thing"}');
    expect(read('custom', 'any text').type).toBe('https://cosign.sigstore.dev/attestation/v1');
  });
});

describe('what is not of its type is refused', () => {
  const ALTERED: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
    ['cyclonedx', { specVersion: '9.9' }, /specVersion/],
    ['cyclonedx', { components: [{ name: 'a' }] }, /components\[0\]/],
    ['spdxjson', { spdxVersion: 2.3 }, /spdxVersion/],
    ['spdxjson', { SPDXID: 'SPDXRef-x' }, /SPDXID/],
    ['slsaprovenance1', { runDetails: {} }, /builder/],
    ['slsaprovenance1', { buildDefinition: { buildType: 'b' } }, /externalParameters/],
    ['slsaprovenance02', { builder: {} }, /id/],
    ['slsaprovenance02', { buildType: 1 }, /buildType/],
    ['openvex', { '@context': 'https://openvex.dev/nsx' }, /@context/],
    ['openvex', { statements: [{ status: 'safe' }] }, /statements\[0\]\.status/],
    ['vuln', { scanner: {} }, /uri/],
    ['vuln', { metadata: { scanStartedOn: 'x' } }, /scanFinishedOn/],
  ];
  test.each(ALTERED)('%s with %j', (name, change, why) => {
    expect(() => read(name, { ...GOOD[name], ...change })).toThrow(
      expect.objectContaining({ code: 'STATEMENT_INVALID', message: expect.stringMatching(why) }),
    );
  });

  test.each(TYPES)('%s under another type, by name and by URI, with the right one as the next step', (name, good) => {
    const other = name === 'vuln' ? 'cyclonedx' : 'vuln';
    for (const type of [other, read(other, GOOD[other]).type])
      expect(() => read(type, good)).toThrow(
        expect.objectContaining({ code: 'STATEMENT_INVALID', hint: expect.stringContaining(`--type ${name}`) }),
      );
  });

  test('a whole statement, and JSON as tag-value SPDX', () => {
    expect(() => read('vuln', { _type: 'x', predicateType: 'y', predicate: GOOD['vuln'] })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('whole statement') }),
    );
    expect(() => read('spdx', GOOD['spdxjson'])).toThrow(
      expect.objectContaining({ code: 'STATEMENT_INVALID', hint: expect.stringContaining('--type spdxjson') }),
    );
  });

  test('without --type, what could be anything', () => {
    for (const content of ['plain text', '[]', { any: 'thing' }])
      expect(() => read(undefined, content)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
