import { parseJson } from '../../../base/json.ts';
import { LIMITS } from '../../../base/limits.ts';
import { asObject, asString, optional } from '../../../base/shape.ts';
import type { HashValue } from '../../package.ts';

/** Where npm says an installed package came from. */
export interface Download {
  readonly url?: string;
  readonly hashes: readonly HashValue[];
}

/** npm's `node_modules/.package-lock.json`: location relative to the project → its download. */
export interface HiddenLockfile {
  readonly kind: 'lockfile';
  readonly downloads: Readonly<Record<string, Download>>;
}

/** @throws BoltsealError JSON_INVALID, LIMIT_EXCEEDED @throws ShapeError */
export function parseHiddenLockfile(bytes: Uint8Array): HiddenLockfile {
  const what = 'the hidden lockfile';
  const object = asObject(parseJson(bytes, { what, maxBytes: LIMITS.catalogFileBytes }), what);
  const packages = optional(object, 'packages', asObject) ?? {};
  return {
    kind: 'lockfile',
    downloads: Object.fromEntries(
      Object.entries(packages).flatMap(([location, value]) => {
        const entry = asObject(value, location);
        const url = optional(entry, 'resolved', asString);
        const isDownload = url !== undefined && /^https?:\/\//.test(url);
        const hashes = hashesOf(optional(entry, 'integrity', asString));
        return isDownload || hashes.length > 0 ? [[location, { ...(isDownload ? { url } : {}), hashes }]] : [];
      }),
    ),
  };
}

const ALGORITHMS: Readonly<Record<string, { readonly name: HashValue['algorithm']; readonly bytes: number }>> = {
  sha1: { name: 'SHA-1', bytes: 20 },
  sha256: { name: 'SHA-256', bytes: 32 },
  sha384: { name: 'SHA-384', bytes: 48 },
  sha512: { name: 'SHA-512', bytes: 64 },
};

/** Subresource Integrity metadata, of W3C SRI: `sha512-BASE64`, several apart by blanks. */
function hashesOf(integrity: string | undefined): readonly HashValue[] {
  return (integrity ?? '').split(/\s+/).flatMap((entry) => {
    const [, written = '', base64 = ''] = /^(sha\d+)-([A-Za-z0-9+/=]+)/.exec(entry) ?? [];
    const algorithm = Object.hasOwn(ALGORITHMS, written) ? ALGORITHMS[written] : undefined;
    const digest = Buffer.from(base64, 'base64');
    return algorithm === undefined || digest.length !== algorithm.bytes
      ? []
      : [{ algorithm: algorithm.name, hex: digest.toString('hex') }];
  });
}
