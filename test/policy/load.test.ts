import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { isBoltsealError } from '../../src/base/errors.ts';
import { loadPolicies, readPolicies } from '../../src/policy/load.ts';
import { formatProblem } from '../../src/policy/problem.ts';

const GOOD = `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata:
  name: production
images:
  - registry.example.com/prod/**
signers:
  alice:
    keyless: { issuer: https://accounts.example.com, identity: alice@example.com }
  release:
    github: { repository: acme/app, workflow: .github/workflows/release.yml, ref: "refs/tags/v*" }
require:
  - id: signed
    signature: { by: { anyOf: [alice, release] } }
  - id: sbom
    attestation: { type: cyclonedx, by: alice, maxAge: 30d }
  - id: clean
    sbom: { from: sbom, deny: ["pkg:npm/lodash@<4.17.21"] }
`;

async function problemsOf(text: string): Promise<readonly string[]> {
  const reading = await readPolicies([{ path: 'p.yaml', text }]);
  return reading.ok ? [] : reading.problems.map(formatProblem);
}

/** The good policy with one text replaced by another; fails when it is not there. */
function changed(from: string, to: string): string {
  expect(GOOD).toContain(from);
  return GOOD.replace(from, to);
}

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
const validate = ajv.compile(JSON.parse(readFileSync('policies/policy.schema.json', 'utf8')) as object);

/** What schema and loader both refuse: what is changed, into what, and what the loader says. */
const SHAPE: readonly (readonly [string, string, string, string])[] = [
  [
    'an unknown field',
    'images:',
    'image: []\nimages:',
    'p.yaml:5:1 the policy has no field "image" (did you mean "images"?)',
  ],
  [
    'an unknown field deep inside',
    'maxAge: 30d',
    'maxAeg: 30d',
    'attestation has no field "maxAeg" (did you mean "maxAge"?)',
  ],
  ['another version of the form', 'boltseal.dev/v1', 'boltseal.dev/v2', 'apiVersion should be boltseal.dev/v1'],
  ['another kind', 'kind: ImagePolicy', 'kind: ClusterImagePolicy', 'kind should be ImagePolicy'],
  ['no name', '\n  name: production', ' {}', 'metadata needs the field "name"'],
  ['a name with spaces', 'name: production', 'name: my policy', 'is not a name'],
  ['no images', 'images:\n  - registry.example.com/prod/**\n', '', 'the policy needs the field "images"'],
  ['an empty list', '\n  - registry.example.com/prod/**', ' []', 'images should not be empty'],
  [
    'a number for a string',
    'identity: alice@example.com',
    'identity: 7',
    'identity should be a string: put it in quotes',
  ],
  ['an empty string', 'identity: alice@example.com', 'identity: ""', 'identity should not be empty'],
  [
    'two identities',
    'identity: alice@example.com',
    'identity: a, identityGlob: b',
    'keyless takes only one of identity, identityGlob, identityRegex',
  ],
  ['no identity', ', identity: alice@example.com', '', 'keyless needs one of identity, identityGlob, identityRegex'],
  ['no issuer', 'issuer: https://accounts.example.com, ', '', 'keyless needs the field "issuer"'],
  [
    'a signer of two kinds',
    'github: {',
    'key: a.pub\n    github: {',
    'a signer takes only one of keyless, github, key',
  ],
  [
    'a signer of no kind',
    'keyless: { issuer: https://accounts.example.com, identity: alice@example.com }',
    '{}',
    'a signer needs one of keyless, github, key',
  ],
  [
    'a field of the full form that is not supported',
    'repository: acme/app',
    'environment: prod, repository: acme/app',
    'github has no field "environment"',
  ],
  [
    'a requirement of two kinds',
    'signature: {',
    'sbom: { from: sbom, deny: ["pkg:npm/x"] }\n    signature: {',
    'a requirement takes only one of',
  ],
  [
    'a requirement of no kind',
    '    signature: { by: { anyOf: [alice, release] } }\n',
    '',
    'a requirement needs one of signature, attestation, sbom',
  ],
  ['a requirement without an id', '- id: signed\n    signature', '- signature', 'a requirement needs the field "id"'],
  ['an unknown rule', 'sbom: { from: sbom, deny', 'cel: { from: sbom, deny', 'a requirement has no field "cel"'],
  [
    'a rule on content that is not supported',
    'from: sbom, deny',
    'unknowns: deny, from: sbom, deny',
    'sbom has no field "unknowns"',
  ],
  ['waivers', 'require:', 'waivers: []\nrequire:', 'the policy has no field "waivers"'],
  ['content from nowhere', 'from: sbom, ', '', 'sbom needs the field "from"'],
  ['content without a rule', ', deny: ["pkg:npm/lodash@<4.17.21"]', '', 'an sbom requirement needs deny or require'],
  ['no signer to choose from', '[alice, release]', '[]', 'the list of signers should not be empty'],
  [
    'less than one signer',
    '{ anyOf: [alice, release] }',
    '{ atLeast: 0, of: [alice, release] }',
    'atLeast should be a whole number, at least 1',
  ],
  [
    'two ways to choose',
    '{ anyOf: [alice, release] }',
    '{ anyOf: [alice], atLeast: 1, of: [release] }',
    'by has no field "atLeast"',
  ],
  ['an unknown mode', 'require:', 'mode: audit\nrequire:', 'mode should be enforce or warn'],
  ['an age without a unit', 'maxAge: 30d', 'maxAge: "30"', '"30" is not a duration'],
  ['an age of nothing', 'maxAge: 30d', 'maxAge: 0d', '"0d" is not a duration'],
  ['a package that is none', 'pkg:npm/lodash@<4.17.21', 'lodash', '"lodash" is not a package'],
  ['require as an object', 'require:\n  - id: signed', 'require:\n  x:\n  - id: signed', 'require should be a list'],
];

/** What only the loader can know. */
const MEANING: readonly (readonly [string, string, string, string])[] = [
  [
    'an unknown signer',
    'by: alice, maxAge',
    'by: alcie, maxAge',
    'p.yaml:16:41 there is no signer "alcie" (did you mean "alice"?)',
  ],
  ['a signer nobody needs', 'anyOf: [alice, release]', 'anyOf: [alice]', 'no requirement names the signer "release"'],
  ['a signer twice', '[alice, release]', '[alice, release, alice]', 'the signer "alice" is named twice'],
  [
    'more signers than there are',
    '{ anyOf: [alice, release] }',
    '{ atLeast: 3, of: [alice, release] }',
    '3 of 2 signers can never be',
  ],
  [
    'an unknown requirement',
    'from: sbom',
    'from: sbon',
    'there is no attestation requirement "sbon" (did you mean "sbom"?)',
  ],
  ['content from a signature', 'from: sbom', 'from: signed', 'there is no attestation requirement "signed"'],
  ['content from what is no SBOM', 'type: cyclonedx', 'type: vuln', 'asks for vuln, which is no SBOM'],
  ['an id twice', 'id: clean', 'id: sbom', 'there are two requirements with the id "sbom"'],
  [
    'an unknown type',
    'type: cyclonedx',
    'type: cyclondx',
    '"cyclondx" is neither a URI nor a known type (did you mean "cyclonedx"?)',
  ],
  [
    'a range nobody can compare',
    'pkg:npm/lodash@<4.17.21',
    'pkg:gem/rails@<7.0',
    'versions of gem packages cannot be compared',
  ],
  ['a range that is none', '@<4.17.21', '@<', 'range that cannot be read'],
  ['a bound that is no version', '@<4.17.21', '@<four', '"four" is not a version of npm'],
  ['qualifiers in a ban', 'lodash@<4.17.21', 'lodash?arch=x', 'leave out qualifiers'],
  ['an image with a tag', 'prod/**', 'prod/app:1.0', 'leave out tag and digest'],
  ['an image with a digest', 'prod/**', `prod/app@sha256:${'0'.repeat(64)}`, 'leave out tag and digest'],
  [
    'a star at the end of the host',
    'registry.example.com/prod/**',
    'registry.example.com*/prod',
    'is not a registry host',
  ],
  ['two stars beside a word', 'prod/**', 'prod**', '** is a segment of its own'],
  ['an image in upper case', 'prod/**', 'Prod/app', '"Prod" is not a part of a repository name'],
  [
    'an expression RE2 does not know',
    'identity: alice@example.com',
    String.raw`identityRegex: '(a)\1'`,
    'not an RE2 expression',
  ],
  [
    'an expression with an unbalanced bracket',
    'identity: alice@example.com',
    'identityRegex: "a)|(?:b"',
    'not an RE2 expression',
  ],
  ['a repository with stars', 'repository: acme/app', 'repository: acme/*', 'repository should be OWNER/NAME'],
  ['a short ref', 'refs/tags/v*', 'main', 'ref should be a full one'],
  [
    'a workflow that is only a name',
    '.github/workflows/release.yml',
    'release',
    'workflow should be the path of the file',
  ],
];

/** What a YAML reader may see in two ways. JSON's schema has no say in it. */
const SYNTAX: readonly (readonly [string, string, string, string])[] = [
  ['a key twice', 'require:', 'kind: ImagePolicy\nrequire:', 'p.yaml:12:1 a key is there twice in one object'],
  ['an anchor', 'name: production', 'name: &n production', 'anchors are not supported'],
  ['an alias', 'name: production', 'name: &n production\nmode: *n', 'aliases are not supported'],
  ['a merge key', 'metadata:\n', 'metadata:\n  <<: { name: other }\n', 'merge keys are not supported'],
  ['a tag', 'name: production', 'name: !secret production', 'tag'],
  ['a key that is no string', 'metadata:\n', 'metadata:\n  1: x\n', 'a key must be a plain string'],
  ['a tab as indentation', '\n  name: production', '\n\tname: production', 'p.yaml:4:1'],
];

describe('a policy', () => {
  test('that is good loads, and the schema agrees', async () => {
    expect(await problemsOf(GOOD)).toEqual([]);
    expect(validate(parse(GOOD)), JSON.stringify(validate.errors)).toBe(true);
  });

  test('may be JSON, and several may be in one file', async () => {
    expect(await problemsOf(JSON.stringify(parse(GOOD), undefined, 2))).toEqual([]);
    const both = await loadPolicies([
      { path: 'p', text: `${GOOD}---\n${changed('name: production', 'name: second')}` },
    ]);
    expect(both.map(({ name }) => name)).toEqual(['production', 'second']);
  });

  test.each(SHAPE)('with %s is refused, by the schema too', async (_what, from, to, message) => {
    const text = changed(from, to);
    expect((await problemsOf(text)).join('\n')).toContain(message);
    expect(validate(parse(text))).toBe(false);
  });

  test.each(MEANING)('with %s is refused by the loader', async (_what, from, to, message) => {
    expect((await problemsOf(changed(from, to))).join('\n')).toContain(message);
  });

  test.each(SYNTAX)('with %s is refused before it is understood', async (_what, from, to, message) => {
    expect((await problemsOf(changed(from, to))).join('\n')).toContain(message);
  });

  test.each(['', '# only a comment', '---\n---', '[]', '"text"', '{'])('that is %j is refused', async (text) => {
    expect(await problemsOf(text)).not.toEqual([]);
  });

  test('with an alias bomb is refused, and quickly', async () => {
    const levels = Array.from({ length: 30 }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at},`.repeat(9)}]`);
    expect(await problemsOf(`l0: &l0 x\n${levels.join('\n')}`)).not.toEqual([]);
  });

  test('nested too deep is refused', async () => {
    expect(await problemsOf(`${'['.repeat(500)}${']'.repeat(500)}`)).not.toEqual([]);
  });

  test('is refused as a whole, with every problem in one message', async () => {
    const text = changed('type: cyclonedx', 'type: x').replace('from: sbom', 'from: nobody');
    const error = await loadPolicies([{ path: 'p.yaml', text }]).catch((reason: unknown) => reason);
    expect(isBoltsealError(error, 'POLICY_INVALID')).toBe(true);
    expect(String(error)).toMatch(/3 problems|2 problems/);
    expect(String(error)).toContain('p.yaml:16:26 "x"');
    expect(String(error)).toContain('p.yaml:18:19 there is no attestation requirement "nobody"');
  });

  test('must have a name of its own', async () => {
    const reading = await readPolicies([
      { path: 'a', text: GOOD },
      { path: 'b', text: GOOD },
    ]);
    expect(reading).toMatchObject({ ok: false, problems: [{ path: 'b' }] });
  });

  test('with a key reads it through the caller, and refuses what is no public key', async () => {
    const text = changed(
      'github: { repository: acme/app, workflow: .github/workflows/release.yml, ref: "refs/tags/v*" }',
      'key: k.pub',
    );
    const pem =
      '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExRRST79+PsrRBnGAI4cMu6Omz2Jh\nfwlMW+gIutNKVRaMyS4rQKvgngc5p8UbLj55pVHhIoAxi/SRgURZI0J3Xw==\n-----END PUBLIC KEY-----\n';
    const asked: string[][] = [];
    const readKey = (file: string, policy: string): Promise<Uint8Array> => {
      asked.push([file, policy]);
      return Promise.resolve(Buffer.from(pem));
    };
    const [policy] = await loadPolicies([{ path: 'dir/p.yaml', text }], { readKey });
    expect(asked).toEqual([['k.pub', 'dir/p.yaml']]);
    expect(policy?.keys).toHaveLength(1);
    const bad = await readPolicies([{ path: 'p', text }], { readKey: () => Promise.resolve(Buffer.from('hello')) });
    expect(bad).toMatchObject({
      ok: false,
      problems: [{ message: 'the key k.pub is not a public key in PEM or DER' }],
    });
    expect((await problemsOf(text)).join()).toContain('key files cannot be read here');
  });
});

describe('the example policies', () => {
  const files = readdirSync('policies').filter((file) => file.endsWith('.yaml'));

  test.each(files)('%s loads, and the schema agrees', async (file) => {
    const text = readFileSync(`policies/${file}`, 'utf8');
    expect(await problemsOf(text)).toEqual([]);
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  });
});
