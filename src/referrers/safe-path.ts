import { BoltsealError } from '../base/errors.ts';

/** The parts of a path below a folder, each a plain name: no way up, no root, no drive. */
export type SafePath = readonly string[] & { readonly __brand: 'SafePath' };

const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 4096;

interface Rule {
  readonly breaks: (name: string) => boolean;
  readonly why: string;
}

/** What a name from an artifact may not be, on any system: an artifact that is safe here must not be an attack there. */
const RULES: readonly Rule[] = [
  { breaks: (name) => name === '', why: 'it is empty' },
  { breaks: (name) => /[\p{Cc}\u2028\u2029]/u.test(name), why: 'it holds control characters' },
  { breaks: (name) => /^[/\\]/.test(name), why: 'it is an absolute path' },
  { breaks: (name) => /^[a-zA-Z]:/.test(name), why: 'it begins with a drive letter' },
  { breaks: (name) => name.includes('\\'), why: 'it holds a backslash, which separates folders on some systems' },
  { breaks: (name) => name.split('/').includes('..'), why: 'it leads upwards' },
  { breaks: (name) => partsOf(name).length === 0, why: 'it names the folder itself' },
  { breaks: (name) => partsOf(name).some((part) => DEVICE.test(part)), why: 'it is the name of a device on Windows' },
  {
    breaks: (name) => partsOf(name).some((part) => /[. ]$/.test(part)),
    why: 'a part of it ends with a dot or a space',
  },
  { breaks: (name) => partsOf(name).some((part) => part.length === 0), why: 'a part of it is empty' },
  {
    breaks: (name) =>
      Buffer.byteLength(name) > MAX_PATH_BYTES ||
      partsOf(name).some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES),
    why: 'it is too long',
  },
];

const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?$/i;

/**
 * The name of a file in an artifact (`org.opencontainers.image.title`) as a path below a folder. Whoever made the artifact
 * chose it.
 *
 * @throws BoltsealError PATH_UNSAFE
 */
export function safePath(name: string): SafePath {
  const broken = RULES.find(({ breaks }) => breaks(name));
  if (broken === undefined) return partsOf(name) as unknown as SafePath;
  throw unsafe(`the artifact names a file ${JSON.stringify(name.slice(0, 200))}: ${broken.why}`);
}

function partsOf(name: string): readonly string[] {
  return name.split('/').filter((part) => part !== '.' && part !== '');
}

export function formatPath(path: SafePath): string {
  return path.join('/');
}

/**
 * Checks that no two files of an artifact are one on some system: the same name, names that differ in case or in how their
 * letters are composed, or a file where another needs a folder.
 *
 * @throws BoltsealError PATH_UNSAFE
 */
export function checkCollisions(paths: readonly SafePath[]): void {
  const files = new Map<string, string>();
  for (const path of paths) {
    const key = keyOf(path);
    const other = files.get(key);
    if (other !== undefined)
      throw unsafe(`the artifact names two files that are one: ${other} and ${formatPath(path)}`);
    files.set(key, formatPath(path));
  }
  for (const path of paths) {
    for (let depth = 1; depth < path.length; depth += 1) {
      const other = files.get(keyOf(path.slice(0, depth)));
      if (other !== undefined)
        throw unsafe(`the artifact names a file ${other} and one within it: ${formatPath(path)}`);
    }
  }
}

function keyOf(path: readonly string[]): string {
  return path.join('/').normalize('NFC').toLowerCase().normalize('NFC');
}

export function unsafe(message: string, cause?: unknown): BoltsealError {
  return new BoltsealError('PATH_UNSAFE', message, {
    hint: 'Nothing was written. Do not trust this artifact before you know who made it.',
    ...(cause === undefined ? {} : { cause }),
  });
}
