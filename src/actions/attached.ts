import type { Context } from '../base/context.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { bundleArtifact } from '../referrers/artifact.ts';
import { attachArtifact } from '../referrers/attach.ts';
import type { LogEntryReference, SignerIdentity, StatementSigner } from '../sign/signer.ts';
import type { ContentWriter } from '../source/source.ts';

/** Something that was signed and now refers to an image. */
export interface AttachedBundle {
  /** The referrer: the manifest that carries the bundle. */
  readonly manifest: Digest;
  readonly predicateType: string;
  readonly signer: SignerIdentity;
  readonly signedAt: Date;
  readonly logEntries: readonly LogEntryReference[];
}

/** What `sign` and `attest` did to one image. */
export interface SignedImage {
  /** As it was named, with the digest that the name meant. */
  readonly reference: string;
  readonly digest: Digest;
  readonly bundle: AttachedBundle;
}

interface Statement {
  readonly bytes: Uint8Array;
  readonly predicateType: string;
}

/** Signs a statement about `subject` and attaches the bundle. @throws BoltsealError, see StatementSigner and attachArtifact */
export async function signAndAttach(
  target: ContentWriter,
  subject: Descriptor,
  { statement, signer }: { readonly statement: Statement; readonly signer: StatementSigner },
  context: Context,
): Promise<AttachedBundle> {
  const { predicateType } = statement;
  const bundle = await signer.sign(statement.bytes, context);
  const manifest = await attachArtifact(
    target,
    subject,
    bundleArtifact(bundle.bytes, predicateType, context.now()),
    context,
  );
  return {
    manifest: manifest.digest,
    predicateType,
    signer: bundle.signer,
    signedAt: bundle.signedAt,
    logEntries: bundle.logEntries,
  };
}
