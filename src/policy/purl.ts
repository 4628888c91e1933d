/** What identifies a package in a rule: a purl without qualifiers and subpath. package-url/purl-spec 1.0. */
export interface PackageName {
  readonly type: string;
  /** Type, namespace and name in one spelling, for comparing. */
  readonly key: string;
  readonly version?: string;
}

const PURL = /^pkg:\/*([a-z][a-z0-9.+-]*)\/(.+)$/is;
const DECODE_ROUNDS = 3;

/**
 * Reads a purl so that no spelling of a package differs from another: case, percent-encoding (also of itself), repeated
 * slashes, and for PyPI the marks that are one there. More packages look alike than the specification says, which
 * for a ban is the safe side. Undefined when it is no purl.
 */
export function readPurl(text: string): PackageName | undefined {
  const [, type, rest] = PURL.exec(text.trim()) ?? [];
  if (type === undefined || rest === undefined) return undefined;
  const bare = rest.replace(/[?#].*$/s, '');
  const at = bare.lastIndexOf('@');
  const hasVersion = at > bare.lastIndexOf('/') + 1;
  const path = hasVersion ? bare.slice(0, at) : bare;
  const version = hasVersion ? decode(bare.slice(at + 1)) : '';
  const key = nameKey(type.toLowerCase(), path);
  return key === undefined ? undefined : { type: type.toLowerCase(), key, ...(version === '' ? {} : { version }) };
}

function nameKey(type: string, path: string): string | undefined {
  const segments = decode(path)
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.' && segment !== '..')
    .map((segment) => segment.normalize('NFKC').toLowerCase());
  const last = segments.pop();
  if (last === undefined) return undefined;
  return [type, ...segments, type === 'pypi' ? last.replaceAll(/[-_.]+/g, '-') : last].join('/');
}

function decode(text: string): string {
  let decoded = text;
  for (let round = 0; round < DECODE_ROUNDS && decoded.includes('%'); round += 1) {
    try {
      decoded = decodeURIComponent(decoded);
    } catch {
      return decoded;
    }
  }
  return decoded;
}
