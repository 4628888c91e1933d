import { compareApk } from './apk.ts';
import { compareDeb } from './deb.ts';
import { compareMaven } from './maven.ts';
import { comparePep440 } from './pep440.ts';
import { compareRpm } from './rpm.ts';
import { compareSemver } from './semver.ts';

/** Negative, zero or positive like a sort; undefined when one of the texts is not a version of the ecosystem. */
export type CompareVersions = (a: string, b: string) => number | undefined;

/** purl type → how its ecosystem orders versions. A type that is not here has no ranges: a guess could allow what is banned. */
const SCHEMES: Readonly<Record<string, CompareVersions>> = {
  apk: compareApk,
  cargo: compareSemver,
  deb: compareDeb,
  golang: compareSemver,
  maven: compareMaven,
  npm: compareSemver,
  pypi: comparePep440,
  rpm: compareRpm,
};

export const RANGE_TYPES: readonly string[] = Object.keys(SCHEMES);

export function schemeFor(purlType: string): CompareVersions | undefined {
  return Object.hasOwn(SCHEMES, purlType) ? SCHEMES[purlType] : undefined;
}
