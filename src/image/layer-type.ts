import { BoltsealError } from '../base/errors.ts';
import type { Compression } from '../tar/decompress.ts';
import type { Layer } from './image.ts';

/**
 * What a layer's media type says of its compression (image-spec 1.1.1, layer.md, and Docker's schema 2).
 *
 * @throws BoltsealError LAYER_INVALID for encrypted layers and for what is not a file-system layer
 */
export function compressionOfLayerType({ descriptor, index }: Layer): Compression {
  const [, suffix] = LAYER_TYPE.exec(descriptor.mediaType) ?? [];
  if (suffix !== undefined) return suffix === '' ? 'none' : suffix.includes('zstd') ? 'zstd' : 'gzip';
  const isEncrypted = descriptor.mediaType.includes('+encrypted');
  throw new BoltsealError(
    'LAYER_INVALID',
    `layer ${index} (${descriptor.digest}) is ${isEncrypted ? 'encrypted' : 'not a file-system layer'}: ${descriptor.mediaType}`,
    {
      hint: isEncrypted
        ? 'Decrypt the image first (skopeo copy --decryption-key), and use the decrypted copy.'
        : 'Check that the reference names a container image and not another artifact.',
    },
  );
}

const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1|docker\.image\.rootfs(?:\.foreign)?\.diff)\.tar((?:[.+](?:gzip|zstd))?)$/;
