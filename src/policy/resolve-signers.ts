import { isBoltsealError, messageOf } from '../base/errors.ts';
import { loadTrustedKey, type TrustedKey } from '../verify/trust-root.ts';
import type { Place, Report } from './problem.ts';
import type { Located } from './reader.ts';
import { githubRule, keylessRule, keyRule, type SignerRule } from './signer-rule.ts';
import { exactRule, globRule, regexRule, type TextRule, type TextRuleResult } from './text-rule.ts';
import type { WrittenGithub, WrittenKeyless, WrittenSigner } from './written.ts';

/** Reads a key file that a policy names; `policyPath` is what the file's path is relative to. Throws when it cannot. */
export type ReadKey = (file: string, policyPath: string) => Promise<Uint8Array>;

interface Resolving {
  readonly path: string;
  readonly readKey: ReadKey;
  readonly report: Report;
}

interface Resolved {
  readonly rules: ReadonlyMap<string, SignerRule>;
  readonly keys: readonly TrustedKey[];
}

export async function resolveSigners(
  signers: readonly { readonly name: Located<string>; readonly value: WrittenSigner }[],
  resolving: Resolving,
): Promise<Resolved> {
  const rules = new Map<string, SignerRule>();
  const keys: TrustedKey[] = [];
  for (const { name, value } of signers) {
    const rule = await resolveSigner(name.value, value, { ...resolving, keys });
    if (rule !== undefined) rules.set(name.value, rule);
  }
  return { rules, keys };
}

async function resolveSigner(
  name: string,
  { keyless, github, key }: WrittenSigner,
  resolving: Resolving & { readonly keys: TrustedKey[] },
): Promise<SignerRule | undefined> {
  if (keyless !== undefined) {
    const identity = await identityRule(keyless, resolving.report);
    return identity === undefined ? undefined : keylessRule(name, keyless.issuer.value, identity);
  }
  if (github !== undefined) return resolveGithub(name, github, resolving.report);
  return key === undefined ? undefined : resolveKeyFile(name, key, resolving);
}

async function identityRule(keyless: WrittenKeyless, report: Report): Promise<TextRule | undefined> {
  const { identity, identityGlob, identityRegex } = keyless;
  if (identity !== undefined) return exactRule(identity.value);
  if (identityGlob !== undefined) return unwrap(globRule(identityGlob.value), identityGlob, report);
  return identityRegex === undefined ? undefined : unwrap(await regexRule(identityRegex.value), identityRegex, report);
}

const REPOSITORY = /^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/;
const WORKFLOW = /^\.github\/workflows\/[^/@*]+\.ya?ml$/;

function resolveGithub(
  name: string,
  { repository, workflow, ref }: WrittenGithub,
  report: Report,
): SignerRule | undefined {
  const rule = ref === undefined ? undefined : unwrap(globRule(ref.value), ref, report);
  let failed = false;
  if (!REPOSITORY.test(repository.value)) {
    report(repository, 'repository should be OWNER/NAME, without stars');
    failed = true;
  }
  if (workflow !== undefined && !WORKFLOW.test(workflow.value)) {
    report(workflow, 'workflow should be the path of the file: .github/workflows/NAME.yml');
    failed = true;
  }
  if (ref !== undefined && !ref.value.startsWith('refs/')) {
    report(ref, 'ref should be a full one: refs/heads/main or refs/tags/v*');
    failed = true;
  }
  if (failed || (ref !== undefined && rule === undefined)) return undefined;
  return githubRule(name, {
    repository: repository.value,
    ...(workflow === undefined ? {} : { workflow: workflow.value }),
    ...(rule === undefined ? {} : { ref: rule }),
  });
}

async function resolveKeyFile(
  name: string,
  file: Located<string>,
  { path, readKey, report, keys }: Resolving & { readonly keys: TrustedKey[] },
): Promise<SignerRule | undefined> {
  try {
    const key = loadTrustedKey(await readKey(file.value, path), { name: file.value });
    keys.push(key);
    return keyRule(name, key, file.value);
  } catch (error) {
    report(file, isBoltsealError(error) ? error.message : `the key ${file.value} cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}

function unwrap(result: TextRuleResult, place: Place, report: Report): TextRule | undefined {
  if (result.ok) return result.value;
  report(place, result.problem);
  return undefined;
}
