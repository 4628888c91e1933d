import { Buffer } from 'node:buffer';
import { BoltsealError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { BlobReader } from './source.ts';

/**
 * A small blob, whole. Its size is checked before a byte is read, and its bytes are verified by the source.
 *
 * @throws BoltsealError LIMIT_EXCEEDED, and what the source throws
 */
export async function readBlobBytes(
  source: BlobReader,
  descriptor: Descriptor,
  { what, maxBytes }: { readonly what: string; readonly maxBytes: number },
): Promise<Uint8Array> {
  if (descriptor.size > maxBytes) {
    throw new BoltsealError('LIMIT_EXCEEDED', `${what} is ${descriptor.size} bytes, more than ${maxBytes}`, {
      hint: 'A document of this size is refused, because nobody needs one. Check where it came from.',
    });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of await source.readBlob(descriptor)) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
