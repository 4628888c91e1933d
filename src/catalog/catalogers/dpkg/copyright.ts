import { parseStanzas } from '../../control-fields.ts';

export interface DebianCopyright {
  readonly kind: 'copyright';
  readonly licenses: readonly string[];
}

/** Debian's short names (copyright-format 1.0, "License specification") that SPDX calls otherwise. */
const SPDX_OF: Readonly<Record<string, string>> = {
  artistic: 'Artistic-1.0-Perl',
  'artistic-1': 'Artistic-1.0',
  'artistic-2': 'Artistic-2.0',
  'bsd-2-clause': 'BSD-2-Clause',
  'bsd-3-clause': 'BSD-3-Clause',
  'bsd-4-clause': 'BSD-4-Clause',
  cc0: 'CC0-1.0',
  expat: 'MIT',
  isc: 'ISC',
  psf: 'PSF-2.0',
  'psf-2': 'PSF-2.0',
  zlib: 'Zlib',
};

/** Debian's names of exceptions that mean exactly one of SPDX's. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'bison-2.2': 'Bison-exception-2.2',
  classpath: 'Classpath-exception-2.0',
  font: 'Font-exception-2.0',
  libtool: 'Libtool-exception',
  texinfo: 'Texinfo-exception',
};

/** The GNU family, whose Debian names say "only" by saying nothing and "or later" with a plus. */
const GNU = /^(a?gpl|lgpl|gfdl)-?v?(\d)(?:\.(\d))?(?:\.0)?(\+?)$/;

/**
 * The licences a Debian copyright file names: the License fields where it follows copyright-format 1.0, otherwise the common
 * licences whose full text it points to (those as Debian names them, since such a file does not say whether a later version
 * will do).
 */
export function parseDebianCopyright(text: string): DebianCopyright {
  const licenses = isMachineReadable(text) ? licenseFields(text) : commonLicenses(text);
  return { kind: 'copyright', licenses: [...new Set(licenses)].toSorted() };
}

function isMachineReadable(text: string): boolean {
  return /^format(?:-specification)?:.*(?:copyright-format|dep-?5)/im.test(text.slice(0, 4096));
}

function licenseFields(text: string): readonly string[] {
  return parseStanzas(text)
    .map((fields) => fields.get('license')?.split('\n')[0]?.trim() ?? '')
    .filter((name) => name !== '')
    .map(toSpdx);
}

/** `GPL-2+ or Artistic, and MIT` → `GPL-2.0-or-later OR Artistic-1.0-Perl AND MIT`; what has no SPDX name keeps its own. */
function toSpdx(written: string): string {
  const exception = /^(\S+) with (\S+) exception$/i.exec(written);
  if (exception !== null) {
    const [, license = '', name = ''] = exception;
    const known = Object.hasOwn(EXCEPTIONS, name.toLowerCase()) ? EXCEPTIONS[name.toLowerCase()] : undefined;
    return known === undefined ? `${spdxName(license)} with ${name} exception` : `${spdxName(license)} WITH ${known}`;
  }
  return written
    .replaceAll(',', ' ')
    .split(/\s+/)
    .map((word) => (/^(?:and|or)$/i.test(word) ? word.toUpperCase() : spdxName(word)))
    .join(' ');
}

function spdxName(name: string): string {
  const lower = name.toLowerCase();
  const [, family, major, minor = '0', plus] = GNU.exec(lower) ?? [];
  if (family !== undefined && major !== undefined) {
    return `${family.toUpperCase()}-${major}.${minor}-${plus === '+' ? 'or-later' : 'only'}`;
  }
  return (Object.hasOwn(SPDX_OF, lower) ? SPDX_OF[lower] : undefined) ?? name;
}

function commonLicenses(text: string): readonly string[] {
  return [...text.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9][A-Za-z0-9.+-]*[A-Za-z0-9+])/g)].map(
    ([, name]) => name ?? '',
  );
}
