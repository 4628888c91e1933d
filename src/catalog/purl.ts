/** The parts of a package URL, decoded: ECMA-427 (purl-spec), "Components". */
export interface PurlParts {
  readonly type: string;
  /** Slash-separated segments. */
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly version?: string | undefined;
  readonly qualifiers?: Readonly<Record<string, string | undefined>>;
  readonly subpath?: string | undefined;
}

/**
 * Builds the canonical package URL of parts that are already normalised for their type. Absent and empty qualifiers are left
 * out, the rest sorted by key. Parts come out of images: whatever they hold is percent-encoded, so none can break out of
 * its place.
 */
export function buildPurl({ type, namespace, name, version, qualifiers = {}, subpath }: PurlParts): string {
  const path = [...segmentsOf(namespace), name].map(encode).join('/');
  const pairs = Object.entries(qualifiers)
    .filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '')
    .map(([key, value]) => `${key.toLowerCase()}=${encode(value)}`)
    .toSorted();
  const below = segmentsOf(subpath).filter((segment) => segment !== '.' && segment !== '..');
  return (
    `pkg:${type.toLowerCase()}/${path}` +
    (version === undefined || version === '' ? '' : `@${encode(version)}`) +
    (pairs.length === 0 ? '' : `?${pairs.join('&')}`) +
    (below.length === 0 ? '' : `#${below.map(encode).join('/')}`)
  );
}

function segmentsOf(text: string | undefined): readonly string[] {
  return (text ?? '').split('/').filter((segment) => segment !== '');
}

/** Letters, digits and `.-_~` stay, and so does the colon; everything else is percent-encoded UTF-8. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}
