import type { Context } from '../../base/context.ts';
import { bundleArtifact } from '../../referrers/artifact.ts';
import { attachArtifact } from '../../referrers/attach.ts';
import { listBundles } from '../../referrers/bundles.ts';
import { findSubject, openWritable } from '../open-image.ts';
import { copyNamedImage } from '../copy-image.ts';

/** Pushes other content to the same tag: the image's own, with one label more. */
export async function pushAltered(image: string, context: Context): Promise<void> {
  await using target = await openWritable(image, {}, context);
  const { manifest, bytes } = await target.readManifest(await target.resolve());
  const altered = {
    ...(JSON.parse(Buffer.from(bytes).toString('utf8')) as object),
    annotations: { ...manifest.annotations, implant: 'yes' },
  };
  const { reference } = target;
  await target.writeManifest(
    Buffer.from(JSON.stringify(altered)),
    reference.tag === undefined ? {} : { tag: reference.tag },
  );
}

/** Puts a sealed image under another name with its bundles, one byte of each bundle's signature flipped. */
export async function pushWithBrokenBundle(sealed: string, to: string, context: Context): Promise<void> {
  await copyNamedImage(sealed, to, { includeReferrers: false }, context);
  await using source = await openWritable(sealed, {}, context);
  await using target = await openWritable(to, {}, context);
  const subject = await findSubject(target, undefined);
  for await (const candidate of listBundles(source, subject.digest)) {
    if (candidate.kind !== 'bundle') continue;
    const artifact = bundleArtifact(flipSignature(candidate.bytes), candidate.predicateType ?? '', context.now());
    await attachArtifact(target, subject, artifact, context);
  }
}

interface SignedJson {
  readonly dsseEnvelope: { readonly signatures: readonly { readonly sig: string }[] };
}

function flipSignature(bytes: Uint8Array): Uint8Array {
  const bundle = JSON.parse(Buffer.from(bytes).toString('utf8')) as SignedJson;
  const signatures = bundle.dsseEnvelope.signatures.map((signature) => {
    const sig = Buffer.from(signature.sig, 'base64');
    const last = sig.length - 1;
    sig.writeUInt8(sig.readUInt8(last) ^ 1, last);
    return { ...signature, sig: sig.toString('base64') };
  });
  return Buffer.from(JSON.stringify({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, signatures } }));
}
