import { BoltsealError } from '../base/errors.ts';
import { predicateTypeName, predicateTypeUri } from '../intoto/predicate-types.ts';
import type { TrustedKey } from '../verify/trust-root.ts';
import type { ExtensionName } from '../verify/verification.ts';
import type { Policy, Requirement } from './policy.ts';
import { demandingRule, keyRule, type SignerRule } from './signer-rule.ts';
import { exactRule, regexRule, type TextRule } from './text-rule.ts';

/** Who must have signed, as cosign's flags say it. Any of several identities and keys will do. */
export interface SignerFlags {
  readonly certificateIdentity?: readonly string[];
  readonly certificateIdentityRegexp?: readonly string[];
  readonly certificateOidcIssuer?: string;
  readonly certificateOidcIssuerRegexp?: string;
  readonly certificateGithubWorkflowTrigger?: string;
  readonly certificateGithubWorkflowSha?: string;
  readonly certificateGithubWorkflowName?: string;
  readonly certificateGithubWorkflowRepository?: string;
  readonly certificateGithubWorkflowRef?: string;
}

const EXTENSION_BY_FLAG = {
  certificateGithubWorkflowTrigger: 'githubWorkflowTrigger',
  certificateGithubWorkflowSha: 'githubWorkflowSha',
  certificateGithubWorkflowName: 'githubWorkflowName',
  certificateGithubWorkflowRepository: 'githubWorkflowRepository',
  certificateGithubWorkflowRef: 'githubWorkflowRef',
} as const satisfies Partial<Record<keyof SignerFlags, ExtensionName>>;

/**
 * The rules that the flags and keys stand for. An expression must match the whole text: cosign takes one that matches
 * anywhere, so that `example.com` lets `example.com.evil.net` in.
 *
 * @throws BoltsealError USAGE when they name nobody, or half of somebody
 */
export async function signersOf(flags: SignerFlags, keys: readonly TrustedKey[]): Promise<readonly SignerRule[]> {
  const rules = [
    ...(await certificateRules(flags)),
    ...keys.map((key) => keyRule(key.name ?? key.fingerprint, key, key.name ?? key.fingerprint)),
  ];
  if (rules.length > 0) return rules;
  throw usage(
    'nobody is named who may have signed',
    'Name them: --certificate-identity with --certificate-oidc-issuer, or --key.',
  );
}

async function certificateRules(flags: SignerFlags): Promise<readonly SignerRule[]> {
  const identities = [
    ...(flags.certificateIdentity ?? []).map(exactRule),
    ...(await Promise.all(
      (flags.certificateIdentityRegexp ?? []).map((text) => expression('--certificate-identity-regexp', text)),
    )),
  ];
  const extensions = extensionsOf(flags);
  const issuer = await issuerOf(flags);
  if (identities.length === 0) {
    if (issuer === undefined && Object.keys(extensions).length === 0) return [];
    throw usage(
      'no identity is named',
      'Add --certificate-identity or --certificate-identity-regexp; ".*" takes anyone of that issuer.',
    );
  }
  if (issuer === undefined)
    throw usage(
      'an identity is worth what its issuer is, and none is named',
      'Add --certificate-oidc-issuer URL, such as https://token.actions.githubusercontent.com.',
    );
  return identities.map((identity) => demandingRule(identity.written, { issuer, identity, extensions }));
}

async function issuerOf(flags: SignerFlags): Promise<TextRule | undefined> {
  const { certificateOidcIssuer: exact, certificateOidcIssuerRegexp: regexp } = flags;
  if (exact !== undefined && regexp !== undefined)
    throw usage('the issuer is given twice', 'Give --certificate-oidc-issuer or its -regexp form, not both.');
  if (exact !== undefined) return exactRule(exact);
  return regexp === undefined ? undefined : expression('--certificate-oidc-issuer-regexp', regexp);
}

async function expression(flag: string, text: string): Promise<TextRule> {
  const result = await regexRule(text);
  if (result.ok) return result.value;
  throw usage(`${flag} "${text}": ${result.problem}`, 'Write an RE2 expression for the whole text; it is anchored.');
}

function extensionsOf(flags: SignerFlags): Readonly<Partial<Record<ExtensionName, string>>> {
  const asked = Object.entries(EXTENSION_BY_FLAG) as [keyof typeof EXTENSION_BY_FLAG, ExtensionName][];
  return Object.fromEntries(
    asked.flatMap(([flag, name]) => {
      const value = flags[flag];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * A policy for every image, made of flags: one requirement, a signature, or with `type` an attestation of that type.
 *
 * @throws BoltsealError USAGE for a type that is none
 */
export function commandLinePolicy(
  of: readonly SignerRule[],
  keys: readonly TrustedKey[],
  type: string | undefined,
): Policy {
  const by = { atLeast: 1, of };
  return {
    name: 'the command line',
    path: 'the command line',
    mode: 'enforce',
    images: [{ pattern: '**', matches: () => true }],
    exclude: [],
    requirements: [type === undefined ? { kind: 'signature', id: 'signed', by } : attested(type, by)],
    keys,
  };
}

function attested(type: string, by: { readonly atLeast: number; readonly of: readonly SignerRule[] }): Requirement {
  const predicateType = predicateTypeUri(type);
  if (predicateType !== undefined)
    return { kind: 'attestation', id: predicateTypeName(predicateType), predicateType, by };
  throw usage(`"${type}" is not a predicate type`, 'Use cyclonedx, spdxjson, slsaprovenance1, vuln … or a URI.');
}

function usage(message: string, hint: string): BoltsealError {
  return new BoltsealError('USAGE', message, { hint });
}
