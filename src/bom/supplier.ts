/** Who supplies a package: name and mail address apart, either may be missing. */
export interface Supplier {
  readonly name?: string;
  readonly email?: string;
}

/** What every reader of a document takes for a mail address; other spellings stay in the text they came in. */
const ADDRESS = /^[\w.+~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/;

/** Reads `Name <mail> (url)`, the form of Debian maintainers, apk, npm and Python authors. */
export function parseSupplier(text: string): Supplier {
  const [, before, address] = /^([^<]*)<([^<>]*)>/.exec(text) ?? [];
  const plain = text.replace(/\(https?:[^)]*\)\s*$/, '').trim();
  const name = (before ?? plain).trim().replace(/^"(.*)"$/, '$1');
  const email = address?.trim() ?? plain;
  if (address === undefined && ADDRESS.test(email)) return { email };
  return { ...(name === '' ? {} : { name }), ...(ADDRESS.test(email) ? { email } : {}) };
}
