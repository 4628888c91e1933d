import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { TarItem } from '../../image/tar-writer.ts';

/**
 * The running system's identity and package database, where it has them: what makes the demo's base layer real.
 * Empty on a system that has neither (macOS, Windows).
 */
export function systemFiles(root = '/'): readonly TarItem[] {
  const release = readIfThere(join(root, 'etc/os-release'));
  const dpkg = readIfThere(join(root, 'var/lib/dpkg/status'));
  const apk = readIfThere(join(root, 'lib/apk/db/installed'));
  return [
    ...fileItem('etc/os-release', release),
    ...fileItem('var/lib/dpkg/status', dpkg),
    ...(dpkg === undefined ? [] : copyrightFiles(root)),
    ...fileItem('lib/apk/db/installed', apk),
  ];
}

/** The licences of Debian packages are in files of their own. */
function copyrightFiles(root: string): readonly TarItem[] {
  const folder = 'usr/share/doc';
  return listIfThere(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}/copyright`;
    return fileItem(path, readIfThere(join(root, path)));
  });
}

export function runtimeFile(execPath: string): readonly TarItem[] {
  return [diskFile('usr/local/bin/node', execPath, 0o755)];
}

/**
 * The package at `packageRoot` with everything it needs in production, found as Node itself would find it, laid out under
 * `usr/lib/node_modules/boltseal` as npm would.
 */
export function productionDependencies(packageRoot: string): readonly TarItem[] {
  const target = 'usr/lib/node_modules/boltseal';
  const folders = dependencyFolders(packageRoot);
  return [
    diskFile(`${target}/package.json`, join(packageRoot, 'package.json'), 0o644),
    ...[...folders]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, folder]) => folderItems(folder, `${target}/node_modules/${name}`)),
  ];
}

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Name → folder of each production dependency. A second version of a name, nested below another package, comes with that package's folder. */
function dependencyFolders(packageRoot: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (folder: string): void => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
    for (const name of Object.keys(dependencies)) {
      const at = locate(name, folder);
      if (at === undefined || found.get(name) === at) continue;
      if (!at.includes(join(folder, 'node_modules'))) found.set(name, found.get(name) ?? at);
      else if (folder === packageRoot) found.set(name, at);
      visit(at);
    }
  };
  visit(packageRoot);
  return found;
}

function locate(name: string, from: string): string | undefined {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  return places
    .map((place) => join(place, name))
    .find((folder) => readIfThere(join(folder, 'package.json')) !== undefined);
}

function folderItems(folder: string, target: string): readonly TarItem[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .flatMap((name): readonly TarItem[] => {
      const path = join(folder, name);
      const stat = lstatSync(path);
      const inArchive = `${target}/${name.split(sep).join('/')}`;
      if (stat.isSymbolicLink())
        return [{ path: inArchive, type: 'symlink', mode: 0o777, linkTarget: readlinkSync(path) }];
      return stat.isFile() ? [diskFile(inArchive, path, stat.mode & 0o111 ? 0o755 : 0o644)] : [];
    });
}

function diskFile(path: string, file: string, mode: number): TarItem {
  return { path, type: 'file', mode, body: { file, sizeBytes: statSync(file).size } };
}

function fileItem(path: string, body: Uint8Array | undefined): readonly TarItem[] {
  return body === undefined ? [] : [{ path, type: 'file', mode: 0o644, body }];
}

function readIfThere(path: string): Uint8Array | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path) : undefined;
}

function listIfThere(folder: string): readonly string[] {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder).toSorted() : [];
}

/** The folder of the nearest package.json at or above `start` that is boltseal's. */
export function packageRootOf(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const text = readIfThere(join(folder, 'package.json'));
    if (text !== undefined && (JSON.parse(Buffer.from(text).toString()) as { name?: string }).name === 'boltseal')
      return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
