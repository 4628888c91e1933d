import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

/** Verifies a bundle with Sigstore's own verifier against the sandbox's trusted root, and returns whom it is signed by. */
export function verifiedIdentity(bytes: Uint8Array, sandbox: Sandbox): string | undefined {
  const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(sandbox.trustedRootPath, 'utf8')));
  const bundle = bundleFromJSON(JSON.parse(Buffer.from(bytes).toString()));
  return new Verifier(toTrustMaterial(root)).verify(toSignedEntity(bundle)).identity?.subjectAlternativeName;
}

/** Verifies a bundle without certificate with Sigstore's own verifier, against the sandbox's trusted root and this key. */
export function verifiedWithKey(bytes: Uint8Array, publicKey: KeyObject, sandbox: Sandbox): void {
  const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(sandbox.trustedRootPath, 'utf8')));
  const bundle = bundleFromJSON(JSON.parse(Buffer.from(bytes).toString()));
  const material = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  new Verifier(material).verify(toSignedEntity(bundle));
}
