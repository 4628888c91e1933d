import type { VerifiedAttestation } from '../../verify/verification.ts';
import type { CandidateDecision, DecisionCode, RequirementDecision } from '../decision.ts';
import { candidateId } from '../evidence.ts';
import type { PackageRule } from '../package-rule.ts';
import type { SbomRequirement } from '../policy.ts';
import { packagesOf, type ListedPackage, type SbomPackages } from '../sbom-packages.ts';
import type { Rule } from './rule.ts';

interface Read {
  readonly attestation: VerifiedAttestation;
  readonly sbom: SbomPackages;
}

/**
 * What the SBOMs say that satisfied another requirement: all of them together. A package that any of them names is in the
 * image; an older, shorter SBOM beside it changes nothing. One that cannot be read denies.
 */
export const sbomRule: Rule<'sbom'> = (requirement, { satisfying }) => {
  const sources = satisfying.get(requirement.from) ?? [];
  const reads = sources.map((attestation) => ({ attestation, sbom: packagesOf(attestation.statement) }));
  const failure = judge(requirement, reads);
  const decision = { id: requirement.id, kind: 'sbom' } as const;
  if (failure !== undefined) return { decision: { ...decision, satisfied: false, ...failure }, satisfying: [] };
  const count = new Set(reads.flatMap(({ sbom }) => (sbom.ok ? sbom.packages.map(({ purl }) => purl) : []))).size;
  const words = `${count} packages named by ${requirement.from}, none banned and none missing`;
  const candidates = sources.map((source) => ({ id: candidateId(source), satisfied: true, reason: 'judged' }));
  return { decision: { ...decision, satisfied: true, reason: words, candidates }, satisfying: sources };
};

type Failure = Required<Pick<RequirementDecision, 'code' | 'reason' | 'next' | 'candidates'>>;

function judge({ from, deny, require }: SbomRequirement, reads: readonly Read[]): Failure | undefined {
  if (reads.length === 0)
    return {
      code: 'SBOM_NOT_AVAILABLE',
      reason: `not judged: nothing satisfied ${from}`,
      next: `Satisfy ${from} first.`,
      candidates: [],
    };
  const unreadable = reads.flatMap(({ attestation, sbom }) =>
    sbom.ok ? [] : [missed(attestation, 'SBOM_UNREADABLE', sbom.problem)],
  );
  if (unreadable.length > 0)
    return fail('SBOM_UNREADABLE', unreadable, 'Attest a CycloneDX or SPDX document in JSON; boltseal seal does.');
  const banned = reads.flatMap((read) => findBanned(read, deny));
  if (banned.length > 0)
    return fail(
      'BANNED_PACKAGE',
      banned,
      'Build the image without these packages, or with versions that are not banned.',
    );
  const all = reads.flatMap(({ sbom }) => (sbom.ok ? sbom.packages : []));
  const absent = require.filter((rule) => !all.some((found) => rule.match(found) === 'yes'));
  if (absent.length === 0) return undefined;
  return {
    code: 'REQUIRED_PACKAGE_MISSING',
    reason: `no SBOM names ${absent.map(({ written }) => written).join(', ')}`,
    next: 'Add these packages to the image, or make an SBOM that sees them.',
    candidates: reads.map(({ attestation }) => missed(attestation, 'REQUIRED_PACKAGE_MISSING', 'not named here')),
  };
}

/** A version that is missing or unreadable counts as the banned one. */
function findBanned({ attestation, sbom }: Read, deny: readonly PackageRule[]): readonly CandidateDecision[] {
  const packages = sbom.ok ? sbom.packages : [];
  const hits = deny.flatMap((rule) =>
    packages.filter((found) => rule.match(found) !== 'no').map((found) => ({ rule, found })),
  );
  const words = new Set(hits.map(({ rule, found }) => `${nameOf(found)} (banned: ${rule.written})`));
  return [...words].map((reason) => missed(attestation, 'BANNED_PACKAGE', reason));
}

function nameOf({ purl, version, key }: ListedPackage): string {
  const bare = purl.replace(/[?#].*$/s, '');
  if (version === undefined) return `${bare}, of unknown version,`;
  return bare.includes(version) ? bare : `${bare || key}@${version}`;
}

const SHOWN = 5;

function fail(code: DecisionCode, candidates: readonly CandidateDecision[], next: string): Failure {
  const reasons = candidates.slice(0, SHOWN).map(({ reason }) => reason);
  const more = candidates.length > SHOWN ? ` and ${candidates.length - SHOWN} more` : '';
  return { code, reason: reasons.join('; ') + more, next, candidates };
}

function missed(attestation: VerifiedAttestation, code: DecisionCode, reason: string): CandidateDecision {
  return { id: candidateId(attestation), satisfied: false, code, reason };
}
