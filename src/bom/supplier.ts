/** Who supplies a package: name and mail address apart, either may be missing. */
export interface Supplier {
  readonly name?: string;
  readonly email?: string;
}

/** Reads `Name <mail> (url)`, the form of Debian maintainers, apk, npm and Python authors. */
export function parseSupplier(text: string): Supplier {
  const [, before = '', address] = /^([^<]*)<([^<>]*)>/.exec(text) ?? [
    undefined,
    text.replace(/\(https?:[^)]*\)\s*$/, ''),
  ];
  const name = before.trim().replace(/^"(.*)"$/, '$1');
  const email = address?.trim();
  return { ...(name === '' ? {} : { name }), ...(email === undefined || email === '' ? {} : { email }) };
}
