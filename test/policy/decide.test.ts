import { describe, expect, test } from 'vitest';
import { COSIGN_SIGN_PREDICATE_TYPE } from '../../src/intoto/predicate-types.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { decide } from '../../src/policy/decide.ts';
import type { Decision, DecisionCode } from '../../src/policy/decision.ts';
import type { Evidence } from '../../src/policy/evidence.ts';
import { loadPolicies } from '../../src/policy/load.ts';
import { attestation, bom, NOW, person, SUBJECT } from '../support/attestations.ts';

const NAME = 'registry.example.com/prod/app';

/** A policy with these lines for `require`, and any line of the head replaced. */
function policyText(require: string, { head = '', name = 'production' } = {}): string {
  return `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata: { name: ${name} }
images: [registry.example.com/prod/**]
${head}
signers:
  alice: { keyless: { issuer: https://accounts.example.com, identity: alice@example.com } }
require:
${require}`;
}

const SIGNED = '  - { id: signed, signature: { by: alice } }';
const SBOM = '  - { id: sbom, attestation: { type: cyclonedx, by: alice } }';

async function decideOn(
  texts: string | readonly string[],
  attestations: Evidence['attestations'],
  overrides: Partial<Evidence> = {},
): Promise<Decision> {
  const list = typeof texts === 'string' ? [texts] : texts;
  const policies = await loadPolicies(list.map((text, at) => ({ path: `policy-${at}.yaml`, text })));
  return decide(policies, { subject: SUBJECT, name: NAME, attestations, rejections: [], ...overrides }, NOW);
}

function codesOf(decision: Decision): readonly (DecisionCode | undefined)[] {
  return decision.policies.flatMap(({ requirements }) => requirements.map(({ code }) => code));
}

const signature = (signer = person('alice')): ReturnType<typeof attestation> =>
  attestation({ signer, predicateType: COSIGN_SIGN_PREDICATE_TYPE, predicate: {} });

describe('a signature', () => {
  test('by the signer named is enough', async () => {
    expect(await decideOn(policyText(SIGNED), [signature()])).toMatchObject({ outcome: 'allowed' });
  });

  test('by somebody else is not, and the difference is named', async () => {
    const decision = await decideOn(policyText(SIGNED), [signature(person('mallory'))]);
    expect(codesOf(decision)).toEqual(['SIGNER_MISMATCH']);
    expect(decision.policies[0]?.requirements[0]?.reason).toContain(
      'identity is mallory@example.com, not alice@example.com',
    );
  });

  test('by the same identity of another issuer is not', async () => {
    const decision = await decideOn(policyText(SIGNED), [
      signature(person('alice', 'https://accounts.example.com.evil')),
    ]);
    expect(codesOf(decision)).toEqual(['SIGNER_MISMATCH']);
    expect(decision.policies[0]?.requirements[0]?.reason).toContain('issuer is https://accounts.example.com.evil');
  });

  test('is not an SBOM attestation by the same signer', async () => {
    expect(codesOf(await decideOn(policyText(SIGNED), [attestation()]))).toEqual(['SIGNATURE_MISSING']);
  });

  test('of another image does not count', async () => {
    const other = attestation({ predicateType: COSIGN_SIGN_PREDICATE_TYPE, subject: digestOf('another') });
    expect(codesOf(await decideOn(policyText(SIGNED), [other]))).toEqual(['SIGNATURE_MISSING']);
  });
});

describe('an attestation', () => {
  test('of the type asked for is enough, of another type not', async () => {
    expect(await decideOn(policyText(SBOM), [attestation()])).toMatchObject({ outcome: 'allowed' });
    const other = await decideOn(policyText(SBOM), [attestation({ predicateType: 'https://spdx.dev/Document' })]);
    expect(codesOf(other)).toEqual(['PREDICATE_TYPE_MISMATCH']);
  });

  const aged = policyText('  - { id: sbom, attestation: { type: cyclonedx, by: alice, maxAge: 2d } }');
  test.each([
    ['as old as allowed', '2026-11-20T12:00:00Z', undefined],
    ['a second older', '2026-11-20T11:59:59Z', 'ATTESTATION_TOO_OLD'],
    ['from a clock that is a little ahead', '2026-11-22T12:04:00Z', undefined],
    ['from tomorrow', '2026-11-23T12:00:00Z', 'ATTESTATION_FROM_FUTURE'],
  ])('%s', async (_what, time, code) => {
    expect(codesOf(await decideOn(aged, [attestation({ signedAt: new Date(time) })]))).toEqual([code]);
  });

  test('without a trusted time has no age', async () => {
    expect(codesOf(await decideOn(aged, [attestation({ signedAt: undefined })]))).toEqual(['ATTESTATION_TIME_UNKNOWN']);
  });
});

describe('which policy', () => {
  test('none about the image: denied', async () => {
    const decision = await decideOn(policyText(SIGNED), [signature()], { name: 'registry.example.com/dev/app' });
    expect(decision).toMatchObject({ outcome: 'denied', code: 'NO_POLICY' });
  });

  test('an image without a name: denied', async () => {
    const policies = await loadPolicies([
      { path: 'p', text: policyText(SIGNED).replace('registry.example.com/prod/**', "'**'") },
    ]);
    const decision = decide(policies, { subject: SUBJECT, attestations: [signature()], rejections: [] }, NOW);
    expect(decision).toMatchObject({ outcome: 'denied', code: 'NO_POLICY' });
  });

  test('the only one excludes it: denied, and it says so', async () => {
    const text = policyText(SIGNED, { head: 'exclude: [registry.example.com/prod/app]' });
    const decision = await decideOn(text, [signature()]);
    expect(decision).toMatchObject({ outcome: 'denied', code: 'NO_POLICY', excludedBy: ['production'] });
    expect(decision.reason).toContain('excluded by production');
  });

  test('two: both must be satisfied', async () => {
    const both = [policyText(SIGNED), policyText(SBOM, { name: 'second' })];
    expect(await decideOn(both, [signature(), attestation()])).toMatchObject({ outcome: 'allowed' });
    expect(await decideOn(both, [signature()])).toMatchObject({ outcome: 'denied', reason: 'denied by second' });
  });

  test('in mode warn: allowed with a warning, but never over one that is enforced', async () => {
    const warn = policyText(SIGNED, { head: 'mode: warn', name: 'advice' });
    expect(await decideOn(warn, [])).toMatchObject({ outcome: 'warned', code: 'REQUIREMENT_UNMET' });
    expect(await decideOn([warn, policyText(SBOM)], [])).toMatchObject({
      outcome: 'denied',
      reason: 'denied by production',
    });
  });
});

describe('two people', () => {
  const text = `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata: { name: two }
images: ['**']
signers:
  alice: { keyless: { issuer: https://accounts.example.com, identity: alice@example.com } }
  bob: { keyless: { issuer: https://accounts.example.com, identity: bob@example.com } }
  anyone: { keyless: { issuer: https://accounts.example.com, identityGlob: "*@example.com" } }
require:
  - { id: two, signature: { by: { atLeast: 2, of: [alice, bob, anyone] } } }`;

  test('are two', async () => {
    expect(await decideOn(text, [signature(), signature(person('bob'))])).toMatchObject({ outcome: 'allowed' });
    expect(await decideOn(text, [signature(), signature(person('carol'))])).toMatchObject({ outcome: 'allowed' });
  });

  test('are not one who signed twice, nor one whom two names describe', async () => {
    const decision = await decideOn(text, [signature(), signature()]);
    expect(codesOf(decision)).toEqual(['TOO_FEW_SIGNERS']);
  });
});

describe('packages in an SBOM', () => {
  const ban = (...deny: string[]): string =>
    policyText(`${SBOM}\n  - { id: clean, sbom: { from: sbom, deny: ${JSON.stringify(deny)} } }`);
  const component = (purl: string, extra: object = {}): object => ({ type: 'library', name: 'x', purl, ...extra });

  async function codeFor(deny: string, components: readonly unknown[]): Promise<DecisionCode | undefined> {
    return codesOf(await decideOn(ban(deny), [attestation({ predicate: bom(components) })]))[1];
  }

  test.each([
    ['another package', 'pkg:npm/event-stream', 'pkg:npm/left-pad@1.0.0', undefined],
    ['the package', 'pkg:npm/event-stream', 'pkg:npm/event-stream@3.3.6', 'BANNED_PACKAGE'],
    ['the version', 'pkg:npm/event-stream@3.3.6', 'pkg:npm/event-stream@3.3.6', 'BANNED_PACKAGE'],
    ['another version', 'pkg:npm/event-stream@3.3.6', 'pkg:npm/event-stream@4.0.0', undefined],
    ['no version', 'pkg:npm/event-stream@3.3.6', 'pkg:npm/event-stream', 'BANNED_PACKAGE'],
    ['inside the range', 'pkg:npm/lodash@<4.17.21', 'pkg:npm/lodash@4.9.0', 'BANNED_PACKAGE'],
    ['at the end of the range', 'pkg:npm/lodash@<4.17.21', 'pkg:npm/lodash@4.17.21', undefined],
    [
      'log4j before its fix',
      'pkg:maven/org.apache.logging.log4j/log4j-core@<2.17.1',
      'pkg:maven/org.apache.logging.log4j/log4j-core@2.9.0',
      'BANNED_PACKAGE',
    ],
    [
      'log4j after its fix',
      'pkg:maven/org.apache.logging.log4j/log4j-core@<2.17.1',
      'pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1',
      undefined,
    ],
    ['a version that is none', 'pkg:npm/lodash@<4.17.21', 'pkg:npm/lodash@latest', 'BANNED_PACKAGE'],
    ['upper case', 'pkg:npm/event-stream', 'pkg:NPM/Event-Stream@1.0.0', 'BANNED_PACKAGE'],
    ['percent-encoding', 'pkg:npm/event-stream', 'pkg:npm/event%2Dstream@1.0.0', 'BANNED_PACKAGE'],
    ['double percent-encoding', 'pkg:npm/event-stream', 'pkg:npm/event%252Dstream@1.0.0', 'BANNED_PACKAGE'],
    ['an encoded scope', 'pkg:npm/@acme/tool@1.0.0', 'pkg:npm/%40acme/tool@1.0.0', 'BANNED_PACKAGE'],
    ['slashes', 'pkg:npm/event-stream', 'pkg://npm//event-stream@1.0.0', 'BANNED_PACKAGE'],
    ['qualifiers', 'pkg:deb/debian/openssl@<3.0.2-1', 'pkg:deb/debian/openssl@3.0.1-1?arch=amd64', 'BANNED_PACKAGE'],
    ['marks that are one in PyPI', 'pkg:pypi/ruamel-yaml', 'pkg:pypi/ruamel.yaml@0.17', 'BANNED_PACKAGE'],
  ])('a component with %s', async (_what, deny, purl, code) => {
    expect(await codeFor(deny, [component(purl)])).toBe(code);
  });

  test('are found inside other components, and by the first of two versions', async () => {
    const inner = component('pkg:npm/event-stream@3.3.6');
    expect(await codeFor('pkg:npm/event-stream', [component('pkg:npm/a@1', { components: [inner] })])).toBe(
      'BANNED_PACKAGE',
    );
    const twice = [component('pkg:npm/lodash@4.9.0'), component('pkg:npm/lodash@4.17.21')];
    expect(await codeFor('pkg:npm/lodash@<4.17.21', twice)).toBe('BANNED_PACKAGE');
  });

  test('are named, with their version, in the reason', async () => {
    const decision = await decideOn(ban('pkg:npm/event-stream'), [
      attestation({ predicate: bom([component('pkg:npm/event-stream@3.3.6')]) }),
    ]);
    expect(decision.policies[0]?.requirements[1]?.reason).toContain('pkg:npm/event-stream@3.3.6');
  });

  test('an older SBOM without the package does not hide it', async () => {
    const bad = attestation({ predicate: bom([component('pkg:npm/event-stream@3.3.6')]) });
    expect(codesOf(await decideOn(ban('pkg:npm/event-stream'), [attestation(), bad]))[1]).toBe('BANNED_PACKAGE');
  });

  test('are not judged from an SBOM by somebody else', async () => {
    const foreign = attestation({ signer: person('mallory') });
    expect(codesOf(await decideOn(ban('pkg:npm/x'), [foreign]))).toEqual(['SIGNER_MISMATCH', 'SBOM_NOT_AVAILABLE']);
  });

  test('are not judged from what cannot be read', async () => {
    const codes = codesOf(await decideOn(ban('pkg:npm/x'), [attestation({ predicate: { hello: 'world' } })]));
    expect(codes).toEqual([undefined, 'SBOM_UNREADABLE']);
  });

  const harmless = component('pkg:npm/harmless@1.0.0');
  test.each([
    ['a list of components is one', bom([harmless]), undefined],
    ['components that are no list', { ...(bom([]) as object), components: { 0: harmless } }, 'SBOM_UNREADABLE'],
    ['a component that is no object', bom([harmless, 'event-stream']), 'SBOM_UNREADABLE'],
    ['nested components that are no list', bom([{ ...harmless, components: 'hidden' }]), 'SBOM_UNREADABLE'],
    ['a purl that is none', bom([{ name: 'event-stream', purl: 'npm/event-stream@3.3.6' }]), 'SBOM_UNREADABLE'],
    ['a purl that is no text', bom([{ name: 'event-stream', purl: ['pkg:npm/event-stream'] }]), 'SBOM_UNREADABLE'],
    ['SPDX packages that are no list', { spdxVersion: 'SPDX-2.3', packages: {} }, 'SBOM_UNREADABLE'],
    ['an SPDX list of packages is one', { spdxVersion: 'SPDX-2.3', packages: [] }, undefined],
  ])('cannot be hidden by another shape: %s', async (_name, predicate, code) => {
    const codes = codesOf(await decideOn(ban('pkg:npm/event-stream'), [attestation({ predicate })]));
    expect(codes[1]).toBe(code);
  });

  test('that are asked for must be there', async () => {
    const text = policyText(
      `${SBOM}\n  - { id: has, sbom: { from: sbom, require: ["pkg:deb/debian/ca-certificates"] } }`,
    );
    const there = attestation({ predicate: bom([component('pkg:deb/debian/ca-certificates@20230311')]) });
    expect(await decideOn(text, [there])).toMatchObject({ outcome: 'allowed' });
    expect(codesOf(await decideOn(text, [attestation()]))[1]).toBe('REQUIRED_PACKAGE_MISSING');
  });
});
