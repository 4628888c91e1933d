import { parseStanzas, type ControlFields } from '../../control-fields.ts';

/** One installed package of a dpkg database. Relation fields are as written. */
export interface DpkgPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly sourceName?: string;
  readonly sourceVersion?: string;
  readonly maintainer?: string;
  readonly homepage?: string;
  readonly summary?: string;
  readonly depends: string;
  readonly provides: string;
}

export interface DpkgStatus {
  readonly kind: 'status';
  readonly packages: readonly DpkgPackage[];
  /** What was in it that could not be understood, in words. */
  readonly problems: readonly string[];
}

/** States in which a package's files are not there: deb(5), dpkg(1) "Package states". */
const ABSENT_STATES = new Set(['not-installed', 'config-files']);

/** Reads `var/lib/dpkg/status`, or one file of distroless' `status.d`, whose stanzas have no Status field. */
export function parseDpkgStatus(text: string): DpkgStatus {
  const stanzas = parseStanzas(text);
  const present = stanzas.filter((fields) => !ABSENT_STATES.has((fields.get('status') ?? '').split(/\s+/)[2] ?? ''));
  const packages = present.map(readPackage);
  const broken = packages.flatMap((found, at) => (found === undefined ? [present[at]?.get('package') ?? ''] : []));
  return {
    kind: 'status',
    packages: packages.filter((found) => found !== undefined),
    problems: broken.map((name) =>
      name === '' ? 'an entry names no package' : `the entry of package ${name} has no version`,
    ),
  };
}

function readPackage(fields: ControlFields): DpkgPackage | undefined {
  const [name, version] = [fields.get('package') ?? '', fields.get('version') ?? ''];
  if (name === '' || version === '') return undefined;
  const [, sourceName, sourceVersion] = /^(\S+)(?:\s+\(([^()]+)\))?/.exec(fields.get('source') ?? '') ?? [];
  const depends = [fields.get('pre-depends'), fields.get('depends')].filter((field) => field !== undefined);
  return {
    name,
    version,
    architecture: fields.get('architecture') ?? '',
    ...(sourceName === undefined ? {} : { sourceName }),
    ...(sourceVersion === undefined ? {} : { sourceVersion }),
    ...firstLine(fields, 'maintainer', 'maintainer'),
    ...firstLine(fields, 'homepage', 'homepage'),
    ...firstLine(fields, 'description', 'summary'),
    depends: depends.join(', '),
    provides: fields.get('provides') ?? '',
  };
}

function firstLine<Name extends string>(
  fields: ControlFields,
  field: string,
  name: Name,
): { readonly [N in Name]?: string } {
  const line = fields.get(field)?.split('\n')[0]?.trim() ?? '';
  return (line === '' ? {} : { [name]: line }) as { readonly [N in Name]?: string };
}
