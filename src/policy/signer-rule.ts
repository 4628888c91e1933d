import type { CertificateSigner, ExtensionName, VerifiedSigner } from '../verify/verification.ts';
import type { TrustedKey } from '../verify/trust-root.ts';
import { exactRule, type TextRule } from './text-rule.ts';

/** Who a name in a policy stands for. */
export interface SignerRule {
  readonly name: string;
  /** In words, for results: what the rule demands. */
  readonly description: string;
  readonly match: (signer: VerifiedSigner) => SignerMatch;
}

export type SignerMatch =
  | { readonly ok: true }
  /** How many of the rule's demands were met, and the first that was not, in words. */
  | { readonly ok: false; readonly met: number; readonly difference: string };

/** Undefined when one of the rules is met; else what keeps the nearest one from it. */
export function matchSigner(signer: VerifiedSigner, rules: readonly SignerRule[]): string | undefined {
  const matches = rules.map((rule) => rule.match(signer));
  if (matches.some(({ ok }) => ok)) return undefined;
  const misses = matches.flatMap((match) => (match.ok ? [] : [match]));
  return misses.toSorted((a, b) => b.met - a.met)[0]?.difference ?? 'nobody is named';
}

interface Demand {
  readonly what: string;
  readonly rule: TextRule;
  readonly valueOf: (signer: CertificateSigner) => string | undefined;
}

const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';
const GITHUB = 'https://github.com';

export function keylessRule(name: string, issuer: string, identity: TextRule): SignerRule {
  const demands: readonly Demand[] = [
    { what: 'issuer', rule: exactRule(issuer), valueOf: (signer) => signer.issuer },
    { what: 'identity', rule: identity, valueOf: (signer) => signer.identity },
  ];
  return certificateRule(name, `${describe(identity)} of ${issuer}`, demands);
}

export interface CertificateDemands {
  readonly issuer: TextRule;
  readonly identity: TextRule;
  /** What extensions must be, exactly. */
  readonly extensions: Readonly<Partial<Record<ExtensionName, string>>>;
}

/** Who a certificate must name, by whatever rules the caller has. */
export function demandingRule(name: string, { issuer, identity, extensions }: CertificateDemands): SignerRule {
  const others = Object.entries(extensions) as [ExtensionName, string][];
  const demands: readonly Demand[] = [
    { what: 'issuer', rule: issuer, valueOf: (signer) => signer.issuer },
    { what: 'identity', rule: identity, valueOf: (signer) => signer.identity },
    ...others.map(([key, value]): Demand => ({
      what: key,
      rule: exactRule(value),
      valueOf: (signer) => signer.extensions[key],
    })),
  ];
  const words = others.map(([key, value]) => `, ${key} ${value}`).join('');
  return certificateRule(name, `${describe(identity)} of ${describe(issuer)}${words}`, demands);
}

export interface GithubDemands {
  /** `owner/repository`. */
  readonly repository: string;
  /** Path of the workflow file in the repository. */
  readonly workflow?: string;
  readonly ref?: TextRule;
}

/**
 * A GitHub Actions workflow, by the extensions Fulcio takes from the token's claims: not by cutting up the identity, in which
 * a branch named `main-evil` is a longer `main`.
 */
export function githubRule(name: string, { repository, workflow, ref }: GithubDemands): SignerRule {
  const extension =
    (key: ExtensionName) =>
    (signer: CertificateSigner): string | undefined =>
      signer.extensions[key];
  const demands: Demand[] = [
    { what: 'issuer', rule: exactRule(GITHUB_ISSUER), valueOf: (signer) => signer.issuer },
    { what: 'repository', rule: exactRule(`${GITHUB}/${repository}`), valueOf: extension('sourceRepositoryUri') },
  ];
  if (workflow !== undefined)
    demands.push({ what: 'workflow', rule: exactRule(`${GITHUB}/${repository}/${workflow}`), valueOf: workflowOf });
  if (ref !== undefined) demands.push({ what: 'ref', rule: ref, valueOf: extension('sourceRepositoryRef') });
  const where = [workflow, ref === undefined ? undefined : `@ ${ref.written}`].filter((part) => part !== undefined);
  return certificateRule(name, ['github', repository, ...where].join(' '), demands);
}

export function keyRule(name: string, key: TrustedKey, file: string): SignerRule {
  const match = (signer: VerifiedSigner): SignerMatch => {
    if (signer.kind === 'key' && signer.fingerprint === key.fingerprint) return { ok: true };
    const found = signer.kind === 'key' ? `the key ${signer.fingerprint}` : `the identity ${signer.identity}`;
    return { ok: false, met: 0, difference: `signed with ${found}, not with the key ${file} (${key.fingerprint})` };
  };
  return { name, description: `the key ${file}`, match };
}

/** The workflow file: what is left of the configuration's URI when the ref it ran at is taken off. */
function workflowOf({ extensions }: CertificateSigner): string | undefined {
  const { buildConfigUri, sourceRepositoryRef } = extensions;
  if (buildConfigUri === undefined || sourceRepositoryRef === undefined) return undefined;
  const suffix = `@${sourceRepositoryRef}`;
  return buildConfigUri.endsWith(suffix) ? buildConfigUri.slice(0, -suffix.length) : undefined;
}

function certificateRule(name: string, description: string, demands: readonly Demand[]): SignerRule {
  const match = (signer: VerifiedSigner): SignerMatch => {
    if (signer.kind === 'key')
      return { ok: false, met: 0, difference: `signed with the key ${signer.fingerprint}, not by ${description}` };
    const unmet = demands.filter(({ rule, valueOf }) => !meets(rule, valueOf(signer)));
    const [first] = unmet;
    if (first === undefined) return { ok: true };
    const found = first.valueOf(signer);
    const what = found === undefined ? `the certificate has no ${first.what}` : `${first.what} is ${found}`;
    return { ok: false, met: demands.length - unmet.length, difference: `${what}, not ${describe(first.rule)}` };
  };
  return { name, description, match };
}

/** A field that is missing meets nothing. */
function meets(rule: TextRule, value: string | undefined): boolean {
  return value !== undefined && rule.matches(value);
}

function describe({ kind, written }: TextRule): string {
  return kind === 'exact' ? written : `${kind} ${written}`;
}
