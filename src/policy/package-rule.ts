import { readPurl, type PackageName } from './purl.ts';
import { RANGE_TYPES, schemeFor, type CompareVersions } from './version/scheme.ts';

/** Packages a rule is about: a purl, of any version, of one, or of a range. */
export interface PackageRule {
  readonly written: string;
  /**
   * Whether a package is one of them. `unknown` is the answer where a version is missing or cannot be compared: a ban
   * counts that as present, and a demand as absent.
   */
  readonly match: (found: PackageName) => 'yes' | 'no' | 'unknown';
}

export type PackageRuleResult =
  { readonly ok: true; readonly value: PackageRule } | { readonly ok: false; readonly problem: string };

interface Bound {
  readonly operator: keyof typeof OPERATORS;
  readonly version: string;
}

const OPERATORS = {
  '<=': (order: number) => order <= 0,
  '>=': (order: number) => order >= 0,
  '<': (order: number) => order < 0,
  '>': (order: number) => order > 0,
} as const;

const FORM = 'write pkg:TYPE/NAMESPACE/NAME, then nothing, @VERSION, or a range like @<2.17.1 or @>=2.0,<2.17.1';

/** Reads `pkg:type/namespace/name[@version | @range]`; a range is bounds joined by commas, all of which hold. */
export function compilePackageRule(written: string): PackageRuleResult {
  const [, purl = written, range] = /^(.*?[^/])@([<>].*)$/.exec(written) ?? [];
  const name = readPurl(purl);
  if (name === undefined || (range !== undefined && name.version !== undefined))
    return { ok: false, problem: `"${written}" is not a package: ${FORM}` };
  if (/[?#]/.test(purl)) return { ok: false, problem: `"${written}": leave out qualifiers (?) and subpath (#)` };
  if (range === undefined) return { ok: true, value: exactOrAny(written, name) };
  return compileRange(written, name, range);
}

function exactOrAny(written: string, { type, key, version }: PackageName): PackageRule {
  const compare = schemeFor(type);
  return {
    written,
    match: (found) => {
      if (found.key !== key) return 'no';
      if (version === undefined) return 'yes';
      if (found.version === undefined) return 'unknown';
      return found.version === version || compare?.(found.version, version) === 0 ? 'yes' : 'no';
    },
  };
}

function compileRange(written: string, { type, key }: PackageName, range: string): PackageRuleResult {
  const compare = schemeFor(type);
  if (compare === undefined)
    return {
      ok: false,
      problem: `"${written}": versions of ${type} packages cannot be compared, only those of ${RANGE_TYPES.join(', ')}; name the versions one by one`,
    };
  const bounds = range.split(',').map(readBound);
  if (!bounds.every((bound) => bound !== undefined))
    return { ok: false, problem: `"${written}" has a range that cannot be read: ${FORM}` };
  const bad = bounds.find(({ version }) => compare(version, version) === undefined);
  if (bad !== undefined) return { ok: false, problem: `"${written}": "${bad.version}" is not a version of ${type}` };
  return { ok: true, value: { written, match: (found) => matchRange(found, key, { bounds, compare }) } };
}

function matchRange(
  found: PackageName,
  key: string,
  { bounds, compare }: { readonly bounds: readonly Bound[]; readonly compare: CompareVersions },
): 'yes' | 'no' | 'unknown' {
  if (found.key !== key) return 'no';
  const { version } = found;
  if (version === undefined) return 'unknown';
  const orders = bounds.map((bound) => ({ bound, order: compare(version, bound.version) }));
  if (orders.some(({ order }) => order === undefined)) return 'unknown';
  return orders.every(({ bound, order }) => OPERATORS[bound.operator](order ?? 0)) ? 'yes' : 'no';
}

function readBound(text: string): Bound | undefined {
  const [, operator, version] = /^(<=|>=|<|>)\s*([^\s<>=]+)$/.exec(text.trim()) ?? [];
  return operator === undefined || version === undefined
    ? undefined
    : { operator: operator as Bound['operator'], version };
}
