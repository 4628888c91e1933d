import { LIMITS } from '../base/limits.ts';
import type { Cataloger, CatalogView } from './cataloger.ts';
import { textOf, wholeFile } from './file-sinks.ts';
import type { Distro } from './distro.ts';

type OsRelease = Readonly<Record<string, string>>;

/** In the order of os-release(5): the first that is there is the one that counts. */
const PATHS = ['etc/os-release', 'usr/lib/os-release'];

/** Keeps os-release as it streams past. It has no packages of its own. */
export const osReleaseReader: Cataloger<OsRelease> = {
  name: 'os-release',
  version: 1,
  paths: PATHS,
  selects: ({ path }) => PATHS.includes(path),
  open: (entry) =>
    wholeFile(entry, { maxBytes: LIMITS.packageManifestBytes, parse: (bytes) => parseOsRelease(textOf(bytes)) }),
  catalog: () => ({ packages: [], relations: [], unknowns: [], relationsComplete: true }),
};

export function distroOf(view: CatalogView<OsRelease>): Distro | undefined {
  const found = PATHS.map((path) => view.at(path)).find((record) => record !== undefined);
  if (found === undefined) return undefined;
  const { record, path } = found;
  const field = (key: string, name: string): Record<string, string> =>
    Object.hasOwn(record, key) && record[key] !== '' ? { [name]: record[key] as string } : {};
  return {
    id: (Object.hasOwn(record, 'ID') && record['ID']?.toLowerCase()) || 'linux',
    idLike: (record['ID_LIKE'] ?? '').split(/\s+/).filter((id) => id !== ''),
    ...field('VERSION_ID', 'versionId'),
    ...field('VERSION_CODENAME', 'codename'),
    ...field('BUILD_ID', 'buildId'),
    ...field('PRETTY_NAME', 'prettyName'),
    ...field('CPE_NAME', 'cpe'),
    ...field('HOME_URL', 'homepage'),
    path,
    layer: view.broughtBy(
      path,
      (other) => other['ID'] === record['ID'] && other['VERSION_ID'] === record['VERSION_ID'],
    ),
  };
}

/**
 * Reads the assignments of os-release(5): one a line, `#` comments, values quoted as in a shell but without any
 * expansion. A line that is no such assignment is left out, as the man page asks of readers; a repeated name's last wins.
 */
export function parseOsRelease(text: string): OsRelease {
  const assignments = text.split('\n').flatMap((line): readonly [string, string][] => {
    const [, name, written] = /^\s*([A-Z0-9a-z_]+)=(.*?)\s*$/.exec(line) ?? [];
    const value = written === undefined ? undefined : unquote(written);
    return name === undefined || value === undefined || name === '__proto__' ? [] : [[name, value]];
  });
  return Object.fromEntries(assignments);
}

/** Undefined when the quoting is broken. */
function unquote(written: string): string | undefined {
  const single = /^'([^']*)'$/.exec(written);
  if (single !== null) return single[1];
  const double = /^"((?:[^"\\]|\\.)*)"$/.exec(written);
  if (double !== null) return (double[1] ?? '').replaceAll(/\\(["$`\\])/g, '$1');
  return /["'`$\\\s;]/.test(written) ? undefined : written;
}
