import { describe, expect, test } from 'vitest';
import { decide } from '../../src/policy/decide.ts';
import { loadPolicies } from '../../src/policy/load.ts';
import { verifyJson } from '../../src/report/verify-json.ts';
import type { DecidedImage, ImageVerdict } from '../../src/actions/verify-images.ts';
import { BoltsealError } from '../../src/base/errors.ts';
import { PLAIN } from '../../src/report/style.ts';
import { verifyText } from '../../src/report/verify-view.ts';
import { COSIGN_SIGN_PREDICATE_TYPE } from '../../src/intoto/predicate-types.ts';
import { attestation, bom, NOW, person, SUBJECT } from '../support/attestations.ts';

const POLICY = `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata: { name: production }
images: [registry.example.com/prod/**]
signers:
  alice: { keyless: { issuer: https://accounts.example.com, identity: alice@example.com } }
require:
  - { id: signed, signature: { by: alice } }
  - { id: sbom, attestation: { type: cyclonedx, by: alice, maxAge: 30d } }
  - { id: clean, sbom: { from: sbom, deny: ["pkg:npm/event-stream"] } }`;

const signed = attestation({ predicateType: COSIGN_SIGN_PREDICATE_TYPE, predicate: {} });
const banned = bom([{ name: 'event-stream', purl: 'pkg:npm/event-stream@3.3.6' }]);

async function result(
  attestations: Parameters<typeof decide>[1]['attestations'],
  name = 'registry.example.com/prod/app',
): Promise<DecidedImage> {
  const policies = await loadPolicies([{ path: 'policy.yaml', text: POLICY }]);
  return {
    decision: decide(policies, { subject: SUBJECT, name, attestations, rejections: [] }, NOW),
    image: `${name}:1.0`,
  };
}

describe('the text', () => {
  test('of an image that is allowed says who signed it', async () => {
    const text = verifyText([await result([signed, attestation()])]);
    expect(text).toContain('✓ registry.example.com/prod/app:1.0   allowed by production');
    expect(text).toContain(
      '✓ signed   signature by alice: alice@example.com (https://accounts.example.com), signed 2026-11-20 12:00 UTC',
    );
    expect(text).toMatch(/\n1 image: 1 allowed\n$/);
    expect(text).not.toContain('→');
  });

  test('of one that is denied names requirement, candidate, code and the next step', async () => {
    const old = attestation({ signedAt: new Date('2026-09-01T00:00:00Z') });
    const text = verifyText([await result([signed, old])]);
    expect(text).toContain('✗ registry.example.com/prod/app:1.0   denied by production');
    expect(text).toContain('82 days old, at most 30d');
    expect(text).toContain('ATTESTATION_TOO_OLD');
    expect(text).toContain('not judged: nothing satisfied sbom');
    expect(text).toContain('SBOM_NOT_AVAILABLE');
    expect(text).toContain('→ Sign as alice');
    expect(text).toMatch(/\n1 image: 1 denied\n$/);
  });

  test('of a banned package names it', async () => {
    const text = verifyText([await result([signed, attestation({ predicate: banned })])]);
    expect(text).toContain('pkg:npm/event-stream@3.3.6');
    expect(text).toContain('BANNED_PACKAGE');
  });

  test('of an image that no policy is about says so, and what to do', async () => {
    const text = verifyText([await result([signed], 'registry.example.com/dev/app')]);
    expect(text).toContain('NO_POLICY');
    expect(text).toContain('→ Add registry.example.com/dev/app to the images of a policy');
  });

  test('counts every image', async () => {
    const text = verifyText([await result([signed, attestation()]), await result([])]);
    expect(text).toMatch(/\n2 images: 1 allowed, 1 denied\n$/);
  });

  test('of an image that could not be found out about is neither allowed nor denied', async () => {
    const error = new BoltsealError('REGISTRY_UNREACHABLE', 'no connection', { hint: 'Check the network.' });
    const unknown: ImageVerdict = { image: 'registry.example.com/prod/other', error };
    const text = verifyText([await result([signed, attestation()]), unknown]);
    expect(text).toMatch(/\? registry.example.com\/prod\/other[\s\S]*REGISTRY_UNREACHABLE[\s\S]*→ Check the network/);
    expect(text).toMatch(/\n2 images: 1 allowed, 1 without an answer\n$/);
    const document = JSON.parse(verifyJson([await result([signed, attestation()]), unknown])) as unknown;
    expect(document).toMatchObject({
      allowed: false,
      images: [{}, { outcome: 'unknown', error: { code: 'REGISTRY_UNREACHABLE' } }],
    });
  });

  test('has colours only through the style it is given', async () => {
    const results = [await result([])];
    expect(verifyText(results)).not.toContain('[');
    expect(verifyText(results, { ...PLAIN, bad: (text) => `<bad>${text}</bad>` })).toContain('<bad>✗</bad>');
  });

  test('shows what a stranger wrote without its control characters', async () => {
    const evil = attestation({ predicateType: COSIGN_SIGN_PREDICATE_TYPE, signer: person('\u001B[2J\u202Emallory') });
    const text = verifyText([await result([evil])]);
    expect(text).toContain(String.raw`\u{1b}[2J\u{202e}mallory`);
    expect(text).not.toContain('\u001B');
  });
});

describe('the JSON', () => {
  test('has a version, and says no when one image is denied', async () => {
    const document = JSON.parse(verifyJson([await result([signed, attestation()]), await result([])])) as unknown;
    expect(document).toMatchObject({
      schemaVersion: 1,
      kind: 'VerifyResult',
      allowed: false,
      images: [
        { outcome: 'allowed', digest: SUBJECT, policies: [{ name: 'production', satisfied: true }] },
        {
          outcome: 'denied',
          code: 'REQUIREMENT_UNMET',
          policies: [
            {
              requirements: [
                { id: 'signed', code: 'SIGNATURE_MISSING', next: expect.stringContaining('boltseal sign') as string },
                {},
                {},
              ],
            },
          ],
        },
      ],
    });
  });

  test('says yes when all are allowed, and no for none', async () => {
    expect(JSON.parse(verifyJson([await result([signed, attestation()])]))).toMatchObject({ allowed: true });
    expect(JSON.parse(verifyJson([]))).toMatchObject({ allowed: false });
  });

  test('gives the next step with every denial', async () => {
    for (const attestations of [
      [],
      [signed],
      [attestation({ predicate: banned })],
      [signed, attestation({ predicate: {} })],
    ]) {
      const { decision } = await result(attestations);
      expect(decision.next).toBeTruthy();
      for (const requirement of decision.policies.flatMap(({ requirements }) => requirements))
        expect(requirement.satisfied || (requirement.next ?? '') !== '').toBe(true);
    }
  });
});
