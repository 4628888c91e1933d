import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RFC3161Timestamp, type ASN1Obj } from '@sigstore/core';
import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };
import { describe, expect, test } from 'vitest';
import { isBoltsealError } from '../../src/base/errors.ts';
import { publicGoodTrustRoot } from '../../src/verify/public-good.ts';
import { Timestamp } from '../../src/verify/timestamp.ts';
import { loadTrustedKey, loadTrustRoot } from '../../src/verify/trust-root.ts';
import { VECTORS } from '../support/vectors.ts';

interface RootJson {
  [field: string]: unknown;
  mediaType: string;
  tlogs: { [field: string]: unknown; publicKey: { rawBytes: string; validFor?: { start?: string; end?: string } } }[];
  certificateAuthorities: { validFor?: unknown; certChain: { certificates: { rawBytes: string }[] } }[];
}

const PUBLIC = Buffer.from(seeds['https://tuf-repo-cdn.sigstore.dev'].targets['trusted_root.json'], 'base64');

function load(change: (root: RootJson) => unknown): ReturnType<typeof loadTrustRoot> {
  const root = JSON.parse(PUBLIC.toString()) as RootJson;
  change(root);
  return loadTrustRoot(JSON.stringify(root));
}

describe('a trusted root', () => {
  test('of the public-good Sigstore is built in', () => {
    const { material } = publicGoodTrustRoot();
    expect(material.tlogs.map(({ baseURL }) => baseURL)).toContain('https://rekor.sigstore.dev');
    expect(material.certificateAuthorities.length).toBeGreaterThan(0);
  });

  test.each([
    'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    'application/vnd.dev.sigstore.trustedroot.v0.2+json',
  ])('of the media type %s is read', (mediaType) => {
    expect(load((root) => (root.mediaType = mediaType)).material.tlogs.length).toBeGreaterThan(0);
  });

  test('inside a ClientTrustConfig is read', () => {
    const mediaType = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json';
    const config = { mediaType, trustedRoot: JSON.parse(PUBLIC.toString()) as unknown, signingConfig: {} };
    expect(loadTrustRoot(JSON.stringify(config)).material.tlogs.length).toBeGreaterThan(0);
  });

  test.each<[string, RegExp, (root: RootJson) => unknown]>([
    ['another media type', /media type/, (root) => (root.mediaType = 'application/json')],
    [
      'a log that is valid since nobody knows when',
      /validFor\.start|start should be/,
      (root) => ((root.tlogs[0] ?? never()).publicKey.validFor = {}),
    ],
    ['a log without a validity', /validFor should be/, (root) => delete (root.tlogs[0] ?? never()).publicKey.validFor],
    [
      'a validity that ends before it starts',
      /ends before it starts/,
      (root) =>
        ((root.tlogs[0] ?? never()).publicKey.validFor = {
          start: '2025-01-01T00:00:00Z',
          end: '2024-01-01T00:00:00Z',
        }),
    ],
    [
      'a time that is none',
      /not a time/,
      (root) => ((root.tlogs[0] ?? never()).publicKey.validFor = { start: 'yesterday' }),
    ],
    ['a field nobody knows', /"revoked" that is not known/, (root) => (root['revoked'] = [])],
    ['a key that is none', /cannot be used/, (root) => ((root.tlogs[0] ?? never()).publicKey.rawBytes = 'AAAA')],
    [
      'a certificate that is none',
      /cannot be used/,
      (root) => ((root.certificateAuthorities[0] ?? never()).certChain.certificates = [{ rawBytes: 'AAAA' }]),
    ],
    [
      'an authority without certificates',
      /names no certificate/,
      (root) => ((root.certificateAuthorities[0] ?? never()).certChain.certificates = []),
    ],
  ])('with %s is refused', (_what, message, change) => {
    expect(() => load(change)).toThrow(message);
  });

  test.each(['', '{}', '[]', '{"mediaType":"a","mediaType":"b"}'])('that is %j is refused with a code', (text) => {
    const error: unknown = (() => {
      try {
        return loadTrustRoot(text);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(isBoltsealError(error, 'TRUST_ROOT_INVALID')).toBe(true);
  });
});

test('a private key is not taken for a public one', () => {
  const pem =
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n';
  expect(() => loadTrustedKey(Buffer.from(pem))).toThrow(/not a public key/);
});

describe.skipIf(VECTORS === undefined)(
  'a time in a timestamp (needs the test vectors beside the project, or in BOLTSEAL_VECTORS)',
  () => {
    /** A real token with another text for its time, which nobody signed: only reading it is tried. */
    function timeIn(text: string): Date {
      const file = join(VECTORS ?? '', 'bundles', 'rekor2-happy-path', 'bundle.sigstore.json');
      const bundle = JSON.parse(readFileSync(file, 'utf8')) as {
        verificationMaterial: { timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] } };
      };
      const [token] = bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps;
      const { root } = RFC3161Timestamp.parse(Buffer.from(token?.signedTimestamp ?? '', 'base64'));
      const time = new RFC3161Timestamp(root).tstInfo.root.subs[4] as ASN1Obj;
      Object.assign(time, { value: Buffer.from(text) });
      return new Timestamp(root).signingTime;
    }

    test.each([
      ['20261122130000Z', '2026-11-22T13:00:00.000Z'],
      ['20261122130000.7Z', '2026-11-22T13:00:00.700Z'],
      ['20261122130000.73Z', '2026-11-22T13:00:00.730Z'],
      ['20261122130000.123456Z', '2026-11-22T13:00:00.123Z'],
    ])('%s is read, whatever digits it has', (text, iso) => expect(timeIn(text).toISOString()).toBe(iso));

    test.each(['20261122130000', '20260231130000Z', '20261122250000Z', '20261122130000.Z', '', '2026'])(
      '%j is refused',
      (text) => {
        expect(() => timeIn(text)).toThrow(/not a time/);
      },
    );
  },
);

function never(): never {
  throw new Error('the built-in root has none');
}
