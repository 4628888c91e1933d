import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { verifyArtifactBundle } from '../../src/verify/artifact.ts';
import { publicGoodTrustRoot } from '../../src/verify/public-good.ts';
import type { RejectionCode } from '../../src/verify/rejection.ts';
import { loadTrustedKey, loadTrustRoot, withKeys, type TrustRoot } from '../../src/verify/trust-root.ts';
import { verifyBundle } from '../../src/verify/verifier.ts';
import { VECTORS } from '../support/vectors.ts';

const ISSUER = 'https://token.actions.githubusercontent.com';
const IDENTITY =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';

/** Why each case of the shared client suite that must be rejected is. */
const REASONS: Readonly<Record<string, RejectionCode>> = {
  'bundle-unknown-version_fail': 'BUNDLE_VERSION_UNSUPPORTED',
  'dsse-mismatch-sig_fail': 'LOG_ENTRY_MISMATCH',
  'intoto-expired-certificate_fail': 'CERTIFICATE_EXPIRED',
  'invalid-ct-key_fail': 'CERTIFICATE_NOT_LOGGED',
  'invalid-inclusion-proof_fail': 'BUNDLE_MALFORMED',
  'managed-key-wrong-key_fail': 'KEY_UNKNOWN',
  'rekor2-no-timestamp_fail': 'TIMESTAMP_MISSING',
  'wrong-hashedrekord-entry_fail': 'LOG_ENTRY_MISMATCH',
};

const folder = join(VECTORS ?? '', 'bundles');
const cases = VECTORS === undefined ? [] : readdirSync(folder).filter((name) => existsSync(bundleFile(name)));

describe.skipIf(VECTORS === undefined)(
  'bundles of the shared client suite (needs the test vectors beside the project, or in BOLTSEAL_VECTORS)',
  () => {
    test('there are some', () => expect(cases.length).toBeGreaterThan(10));

    test.each(cases)('%s', (name) => {
      const found = verify(name);
      if (!name.endsWith('_fail')) {
        expect(found).toMatchObject({ ok: true });
        if (!('signature' in found) || found.signature.signer.kind === 'key') return;
        expect(found.signature.signer).toMatchObject({ issuer: ISSUER, identity: IDENTITY });
      } else expect(found).toMatchObject({ ok: false, rejection: { code: REASONS[name] ?? 'a code' } });
    });

    test.each(cases.filter((name) => /dsse/.test(name) && !name.endsWith('_fail')))('%s, by digest alone', (name) => {
      const bytes = readFileSync(bundleFile(name));
      const subject = digestOf(readFileSync(join(folder, 'a.txt')));
      expect(verifyBundle({ bytes }, subject, { trust: trustOf(name) })).toMatchObject({
        ok: true,
        attestation: { subject, signer: { identity: IDENTITY } },
      });
      expect(verifyBundle({ bytes }, digestOf('other'), { trust: trustOf(name) })).toMatchObject({
        rejection: { code: 'SUBJECT_MISMATCH' },
      });
    });

    test.each(cases.filter((name) => !name.endsWith('_fail')))('%s, over another file', (name) => {
      const other = verifyArtifactBundle(readFileSync(bundleFile(name)), Buffer.from('other'), {
        trust: trustOf(name),
      });
      expect(other).toMatchObject({ ok: false, rejection: { code: 'SUBJECT_MISMATCH' } });
    });

    test('a signature over a file is no attestation', () => {
      const bytes = readFileSync(bundleFile('happy-path-v0.3'));
      const subject = digestOf(readFileSync(join(folder, 'a.txt')));
      expect(verifyBundle({ bytes }, subject, { trust: trustOf('happy-path-v0.3') })).toMatchObject({
        rejection: { code: 'CONTENT_KIND_MISMATCH' },
      });
    });
  },
);

function verify(name: string): ReturnType<typeof verifyArtifactBundle> {
  const own = join(folder, name, 'artifact');
  const artifact = readFileSync(existsSync(own) ? own : join(folder, 'a.txt'));
  return verifyArtifactBundle(readFileSync(bundleFile(name)), artifact, { trust: trustOf(name) });
}

function trustOf(name: string): TrustRoot {
  const rootFile = join(folder, name, 'trusted_root.json');
  const root = existsSync(rootFile) ? loadTrustRoot(readFileSync(rootFile)) : publicGoodTrustRoot();
  const keyFile = join(folder, name, 'key.pub');
  if (!existsSync(keyFile)) return root;
  try {
    return withKeys(root, [loadTrustedKey(readFileSync(keyFile), { name: 'key.pub' })]);
  } catch {
    return root;
  }
}

function bundleFile(name: string): string {
  return join(folder, name, 'bundle.sigstore.json');
}
