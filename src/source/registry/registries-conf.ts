import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { systemCodeOf } from '../../base/errors.ts';
import { readError } from '../file-error.ts';
import { parseRegistriesConf } from './parse-registries-conf.ts';
import type { RegistryRule } from './registry-rule.ts';

const SYSTEM = '/etc/containers/registries.conf';

/**
 * What registries.conf says about registries, by the search order of containers-registries.conf(5): the file of
 * $CONTAINERS_REGISTRIES_CONF, else the user's, else the system's; then the folders of additions, in which a later rule for a
 * prefix takes the place of an earlier one. Who has a file of their own is not told by the system's folder.
 *
 * @throws BoltsealError REGISTRIES_CONF_INVALID, FILE_NOT_FOUND (the variable), FILE_UNREADABLE
 */
export async function readRegistriesConf(context: Context): Promise<readonly RegistryRule[]> {
  const rules = new Map<string, RegistryRule>();
  for (const { path, bytes } of await readFiles(context)) {
    for (const rule of await parseRegistriesConf(bytes, path, context)) rules.set(rule.prefix, rule);
  }
  return [...rules.values()];
}

interface ReadFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

async function readFiles({ env }: Context): Promise<readonly ReadFile[]> {
  const named = env['CONTAINERS_REGISTRIES_CONF'] ?? '';
  const home = env['HOME'] ?? env['USERPROFILE'] ?? '';
  const own = home === '' ? undefined : join(home, '.config', 'containers', 'registries.conf');
  const ownFile = own === undefined || named !== '' ? undefined : await readIfThere(own);
  const first = ownFile ?? (await readIfThere(named === '' ? SYSTEM : named, named !== ''));
  const folders = [...(ownFile === undefined ? [`${SYSTEM}.d`] : []), ...(own === undefined ? [] : [`${own}.d`])];
  const additions: ReadFile[] = [];
  for (const folder of folders) additions.push(...(await readFolder(folder)));
  return [...(first === undefined ? [] : [first]), ...additions];
}

async function readIfThere(path: string, mustExist = false): Promise<ReadFile | undefined> {
  try {
    return { path, bytes: await readFile(path) };
  } catch (cause) {
    if (!mustExist && isAbsent(cause)) return undefined;
    throw readError(cause, path);
  }
}

async function readFolder(folder: string): Promise<readonly ReadFile[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.conf')).toSorted();
    const files = await Promise.all(names.map((name) => readIfThere(join(folder, name))));
    return files.filter((file) => file !== undefined);
  } catch (cause) {
    if (isAbsent(cause)) return [];
    throw readError(cause, folder);
  }
}

function isAbsent(cause: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(cause) ?? '');
}
