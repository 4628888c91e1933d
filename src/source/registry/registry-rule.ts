import { parseRegistryReference, repositoryName, type RegistryReference } from '../../oci/reference.ts';

/** One `[[registry]]` of containers-registries.conf(5), version 2: where the images below a name are read from. */
export interface RegistryRule {
  /** `host[:port][/path]`, or `*.domain`. */
  readonly prefix: string;
  /** Takes the place of the prefix; undefined leaves the name as it is. */
  readonly location: string | undefined;
  readonly insecure: boolean;
  readonly blocked: boolean;
  /** In the order in which they are asked, before the registry itself. */
  readonly mirrors: readonly Mirror[];
  /** The file that says so. */
  readonly file: string;
}

export interface Mirror {
  readonly location: string;
  readonly insecure: boolean;
  readonly serves: 'all' | 'digest-only' | 'tag-only';
}

/** A rule, and what of the name comes after the part that it is for. */
export interface RuleMatch {
  readonly rule: RegistryRule;
  /** `/team/app`, or nothing. */
  readonly rest: string;
}

/** The rule with the longest prefix that a name begins with; undefined when there is none. */
export function matchRule(rules: readonly RegistryRule[], reference: RegistryReference): RuleMatch | undefined {
  const name = repositoryName(reference);
  return rules
    .flatMap((rule) => {
      const end = endOfPrefix(name, rule.prefix);
      return end === undefined ? [] : [{ rule, rest: name.slice(end) }];
    })
    .toSorted((a, b) => b.rule.prefix.length - a.rule.prefix.length)[0];
}

/** `reference` with another place in front of `rest`. @throws BoltsealError REFERENCE_INVALID */
export function relocate(reference: RegistryReference, location: string, rest: string): RegistryReference {
  const { host, repository } = parseRegistryReference(`${location}${rest}`);
  return { ...reference, host, repository };
}

function endOfPrefix(name: string, prefix: string): number | undefined {
  const suffix = prefix.startsWith('*.') ? prefix.slice(1) : undefined;
  const start = suffix === undefined ? 0 : name.indexOf(suffix);
  const end = start + (suffix ?? prefix).length;
  const matches = suffix === undefined ? name.startsWith(prefix) : start > 0 && !name.slice(0, start).includes('/');
  return matches && (end === name.length || name[end] === '/') ? end : undefined;
}
