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
