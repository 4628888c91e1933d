import { predicateTypeUri, PREDICATE_ALIASES } from '../intoto/predicate-types.ts';
import type { TrustedKey } from '../verify/trust-root.ts';
import { parseDuration } from './duration.ts';
import { compileImagePattern, type ImagePattern } from './image-pattern.ts';
import { compilePackageRule, type PackageRule } from './package-rule.ts';
import type { AttestationRequirement, Policy, Requirement, SbomRequirement, SignerChoice } from './policy.ts';
import { didYouMean, type Report } from './problem.ts';
import type { Located } from './reader.ts';
import { resolveSigners, type ReadKey } from './resolve-signers.ts';
import type { SignerRule } from './signer-rule.ts';
import type { WrittenAttestation, WrittenBy, WrittenPolicy, WrittenRequirement, WrittenSbom } from './written.ts';

interface Scope {
  readonly signers: ReadonlyMap<string, SignerRule>;
  /** Also those that could not be resolved, which was reported where they are. */
  readonly declared: readonly string[];
  readonly used: Set<string>;
  readonly requirements: readonly WrittenRequirement[];
  readonly report: Report;
}

/** Written to resolved. Whatever cannot be honoured is reported, and then there is no policy. */
export async function resolvePolicy(
  written: WrittenPolicy,
  { path, readKey, report }: { readonly path: string; readonly readKey: ReadKey; readonly report: Report },
): Promise<Policy | undefined> {
  let failed = false;
  const count: Report = (place, message) => {
    failed = true;
    report(place, message);
  };
  const { rules, keys } = await resolveSigners(written.signers ?? [], { path, readKey, report: count });
  const declared = (written.signers ?? []).map(({ name }) => name.value);
  const scope: Scope = { signers: rules, declared, used: new Set(), requirements: written.require, report: count };
  checkIds(written.require, count);
  const requirements = written.require.map((requirement) => resolveRequirement(requirement, scope));
  checkUnused(written, scope);
  const images = patterns(written.images, count);
  const exclude = patterns(written.exclude ?? [], count);
  if (failed) return undefined;
  return {
    name: written.metadata.name.value,
    path,
    mode: written.mode ?? 'enforce',
    images,
    exclude,
    requirements: requirements.filter((requirement) => requirement !== undefined),
    keys: keys satisfies readonly TrustedKey[],
  };
}

function checkIds(requirements: readonly WrittenRequirement[], report: Report): void {
  const seen = new Set<string>();
  for (const { id } of requirements) {
    if (seen.has(id.value)) report(id, `there are two requirements with the id "${id.value}"`);
    seen.add(id.value);
  }
}

/** A signer nobody asks for is a requirement that somebody forgot to write. */
function checkUnused(written: WrittenPolicy, { used, report }: Scope): void {
  for (const { name } of written.signers ?? [])
    if (!used.has(name.value)) report(name, `no requirement names the signer "${name.value}"`);
}

function resolveRequirement({ id, ...rest }: WrittenRequirement, scope: Scope): Requirement | undefined {
  if (rest.signature !== undefined) return { kind: 'signature', id: id.value, by: choose(rest.signature.by, scope) };
  if (rest.attestation !== undefined) return resolveAttestation(id.value, rest.attestation, scope);
  return rest.sbom === undefined ? undefined : resolveSbom(id.value, rest.sbom, scope);
}

function resolveAttestation(
  id: string,
  { type, by, maxAge }: WrittenAttestation,
  scope: Scope,
): AttestationRequirement | undefined {
  const predicateType = predicateTypeUri(type.value);
  if (predicateType === undefined)
    scope.report(type, `"${type.value}" is neither a URI nor a known type${didYouMean(type.value, PREDICATE_ALIASES)}`);
  const choice = choose(by, scope);
  if (maxAge === undefined)
    return predicateType === undefined ? undefined : { kind: 'attestation', id, predicateType, by: choice };
  const ms = parseDuration(maxAge.value);
  if (ms === undefined) scope.report(maxAge, `"${maxAge.value}" is not a duration: write 30d, 24h, 90m or 2w`);
  if (predicateType === undefined || ms === undefined) return undefined;
  return { kind: 'attestation', id, predicateType, by: choice, maxAge: { written: maxAge.value, ms } };
}

const SBOM_TYPES: readonly (string | undefined)[] = ['cyclonedx', 'spdx'].map(predicateTypeUri);

function resolveSbom(id: string, { from, deny, require }: WrittenSbom, scope: Scope): SbomRequirement {
  const ids = scope.requirements.filter((other) => other.attestation !== undefined).map((other) => other.id.value);
  const source = scope.requirements.find((other) => other.id.value === from.value && other.attestation !== undefined);
  if (source?.attestation === undefined)
    scope.report(from, `there is no attestation requirement "${from.value}"${didYouMean(from.value, ids)}`);
  else if (!SBOM_TYPES.includes(predicateTypeUri(source.attestation.type.value)))
    scope.report(from, `the requirement "${from.value}" asks for ${source.attestation.type.value}, which is no SBOM`);
  if (deny === undefined && require === undefined) scope.report(from, 'an sbom requirement needs deny or require');
  return {
    kind: 'sbom',
    id,
    from: from.value,
    deny: packages(deny ?? [], scope.report),
    require: packages(require ?? [], scope.report),
  };
}

function choose({ atLeast, of }: WrittenBy, { signers, declared, used, report }: Scope): SignerChoice {
  const rules: SignerRule[] = [];
  for (const name of of) {
    const rule = signers.get(name.value);
    if (!declared.includes(name.value))
      report(name, `there is no signer "${name.value}"${didYouMean(name.value, declared)}`);
    else if (of.slice(0, of.indexOf(name)).some(({ value }) => value === name.value))
      report(name, `the signer "${name.value}" is named twice`);
    else if (rule !== undefined) rules.push(rule);
    used.add(name.value);
  }
  if (atLeast !== undefined && atLeast.value > of.length)
    report(atLeast, `${atLeast.value} of ${of.length} signers can never be`);
  return { atLeast: atLeast?.value ?? 1, of: rules };
}

function patterns(written: readonly Located<string>[], report: Report): readonly ImagePattern[] {
  return compileAll(written, compileImagePattern, report);
}

function packages(written: readonly Located<string>[], report: Report): readonly PackageRule[] {
  return compileAll(written, compilePackageRule, report);
}

type Compiled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

function compileAll<T>(
  written: readonly Located<string>[],
  compile: (text: string) => Compiled<T>,
  report: Report,
): readonly T[] {
  return written.flatMap((item) => {
    const compiled = compile(item.value);
    if (compiled.ok) return [compiled.value];
    report(item, compiled.problem);
    return [];
  });
}
