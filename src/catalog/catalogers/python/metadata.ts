import { ShapeError } from '../../../base/shape.ts';
import { parseRepeatedFields } from '../../control-fields.ts';

/** What boltseal keeps of a distribution's core metadata. */
export interface PythonMetadata {
  readonly name: string;
  readonly version: string;
  readonly licenses: readonly string[];
  readonly supplier?: string;
  readonly summary?: string;
  readonly homepage?: string;
  /** Requires-Dist, as written. */
  readonly requires: readonly string[];
}

/**
 * Reads METADATA or PKG-INFO: the core metadata specifications of packaging.python.org, versions 1.0 to 2.5. A description
 * that follows the fields is not read.
 *
 * @throws ShapeError when name or version is missing
 */
export function parsePythonMetadata(text: string): PythonMetadata {
  const fields = parseRepeatedFields(text.replaceAll('\r\n', '\n').split(/\n[ \t]*\n/, 1)[0] ?? '');
  const first = (name: string): string | undefined => {
    const value = fields.get(name)?.[0]?.trim();
    return value === undefined || value === '' || value === 'UNKNOWN' ? undefined : value;
  };
  const [name, version] = [first('name'), first('version')];
  if (name === undefined || version === undefined)
    throw new ShapeError(`the metadata has no ${name === undefined ? 'name' : 'version'}`);
  return {
    name,
    version,
    licenses: licensesOf(first, fields.get('classifier') ?? []),
    ...entry('supplier', supplierOf(first)),
    ...entry('summary', first('summary')?.split('\n')[0]),
    ...entry('homepage', first('home-page')),
    requires: fields.get('requires-dist') ?? [],
  };
}

/** PEP 503: one spelling for all that an index takes for the same name. */
export function normalisePythonName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase();
}

type FirstField = (name: string) => string | undefined;

/** PEP 639's expression; without it the classifiers, which are a fixed vocabulary; without those the free text, if it is a name. */
function licensesOf(first: FirstField, classifiers: readonly string[]): readonly string[] {
  const expression = first('license-expression');
  if (expression !== undefined) return [expression];
  const classified = classifiers
    .filter((classifier) => classifier.startsWith('License :: '))
    .map((classifier) => classifier.slice(classifier.lastIndexOf(' :: ') + 4).trim())
    .filter((name) => name !== 'OSI Approved');
  const text = first('license');
  const isName = text !== undefined && !text.includes('\n') && text.length <= 100;
  if (isName && (classified.length === 0 || /^[A-Za-z0-9.+-]+$/.test(text))) return [text];
  return [...new Set(classified.map((name) => SPDX_OF[name] ?? name))].toSorted();
}

/** Trove classifiers that name exactly one licence of the SPDX list. */
const SPDX_OF: Readonly<Record<string, string>> = {
  'Apache Software License': 'Apache-2.0',
  'GNU Affero General Public License v3': 'AGPL-3.0-only',
  'GNU Affero General Public License v3 or later (AGPLv3+)': 'AGPL-3.0-or-later',
  'GNU General Public License v2 (GPLv2)': 'GPL-2.0-only',
  'GNU General Public License v2 or later (GPLv2+)': 'GPL-2.0-or-later',
  'GNU General Public License v3 (GPLv3)': 'GPL-3.0-only',
  'GNU General Public License v3 or later (GPLv3+)': 'GPL-3.0-or-later',
  'GNU Lesser General Public License v2 or later (LGPLv2+)': 'LGPL-2.0-or-later',
  'GNU Lesser General Public License v3 (LGPLv3)': 'LGPL-3.0-only',
  'GNU Lesser General Public License v3 or later (LGPLv3+)': 'LGPL-3.0-or-later',
  'ISC License (ISCL)': 'ISC',
  'MIT License': 'MIT',
  'MIT No Attribution License (MIT-0)': 'MIT-0',
  'Mozilla Public License 2.0 (MPL 2.0)': 'MPL-2.0',
  'Python Software Foundation License': 'PSF-2.0',
  'The Unlicense (Unlicense)': 'Unlicense',
};

function supplierOf(first: FirstField): string | undefined {
  return (first('maintainer') ?? first('author') ?? first('maintainer-email') ?? first('author-email'))?.replaceAll(
    /\s+/g,
    ' ',
  );
}

function entry<Name extends string>(name: Name, value: string | undefined): { readonly [N in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: string };
}
