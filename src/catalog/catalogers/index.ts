import type { Cataloger } from '../cataloger.ts';
import { apkCataloger } from './apk.ts';
import { dpkgCataloger } from './dpkg/dpkg.ts';
import { goCataloger } from './go/go.ts';
import { npmCataloger } from './npm/npm.ts';
import { pythonCataloger } from './python/python.ts';
import { unreadCataloger } from './unread.ts';

/** Every cataloger there is. */
export const CATALOGERS: readonly Cataloger[] = [
  // operating systems
  apkCataloger,
  dpkgCataloger,

  // languages
  npmCataloger,
  pythonCataloger,

  // binaries
  goCataloger,

  // everything known and not read
  unreadCataloger,
];
