import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { digestOf, encodedOf } from '../oci/digest.ts';
import type { TufRepository } from '../trust/tuf-repository.ts';
import { PUBLIC_GOOD, publicGoodTufRoot } from '../verify/public-good.ts';
import { readLocalFile } from './read-file.ts';

export interface TufOptions {
  /** The public-good instance's when absent. */
  readonly mirrorUrl?: string;
  /** The root.json to begin with; needed for any other mirror. */
  readonly rootFile?: string;
  /** Where signed metadata is remembered; in the user's data folder when absent. */
  readonly cacheFolder?: string;
}

/** @throws BoltsealError USAGE, FILE_NOT_FOUND, FILE_UNREADABLE */
export async function openTufRepository(options: TufOptions, context: Context): Promise<TufRepository> {
  const { mirrorUrl = PUBLIC_GOOD, rootFile, cacheFolder } = options;
  const url = checkUrl(mirrorUrl);
  const root =
    rootFile === undefined ? builtInRoot(mirrorUrl) : await readLocalFile(rootFile, 'the root', LIMITS.trustRootBytes);
  // Two roots for one mirror are two repositories: what one of them vouched for says nothing about the other.
  const own = rootFile === undefined ? '' : `-${encodedOf(digestOf(root)).slice(0, 12)}`;
  const name = `${encodeURIComponent(url.host + url.pathname.replace(/\/+$/, ''))}${own}`;
  return { mirrorUrl, root, cacheFolder: join(cacheFolder ?? dataFolder(context), name) };
}

function checkUrl(text: string): URL {
  const url = URL.parse(text);
  const isLoopback = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback)) return url;
  throw new BoltsealError('USAGE', `"${text}" is not the URL of a TUF mirror`, {
    hint: 'Write an https URL; plain HTTP is for this machine only.',
  });
}

function builtInRoot(mirrorUrl: string): Uint8Array {
  if (mirrorUrl === PUBLIC_GOOD) return publicGoodTufRoot();
  throw new BoltsealError('USAGE', `no root is known for ${mirrorUrl}`, {
    hint: 'Give its root.json with --root FILE, as you got it from whoever runs the repository.',
  });
}

/** XDG base directories, and what stands for them on Windows. */
function dataFolder({ env }: Context): string {
  const base = [env['XDG_DATA_HOME'], env['LOCALAPPDATA']].find((path) => path !== undefined && path !== '');
  return join(base ?? join(env['HOME'] ?? homedir(), '.local', 'share'), 'boltseal', 'tuf');
}
