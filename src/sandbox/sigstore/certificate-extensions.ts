import type { JWTPayload } from 'jose';

/** An extension as the certificate authority takes it; `legacy` ones hold the bare text, the others a DER UTF8String. */
export interface CertificateExtension {
  readonly oid: string;
  readonly value: string;
  readonly legacy?: boolean;
}

interface Row {
  readonly claim: string;
  /** Suffix of 1.3.6.1.4.1.57264.1 */
  readonly arc: number;
  readonly prefix?: string;
}

const GITHUB = 'https://github.com/';

/** Fulcio, docs/oid-info.md: which claim of a CI's token becomes which extension. Arcs 1 to 6 are the legacy ones. */
const ROWS: readonly Row[] = [
  { claim: 'iss', arc: 1 },
  { claim: 'event_name', arc: 2 },
  { claim: 'sha', arc: 3 },
  { claim: 'workflow', arc: 4 },
  { claim: 'repository', arc: 5 },
  { claim: 'ref', arc: 6 },
  { claim: 'iss', arc: 8 },
  { claim: 'job_workflow_ref', arc: 9, prefix: GITHUB },
  { claim: 'job_workflow_sha', arc: 10 },
  { claim: 'runner_environment', arc: 11 },
  { claim: 'repository', arc: 12, prefix: GITHUB },
  { claim: 'sha', arc: 13 },
  { claim: 'ref', arc: 14 },
  { claim: 'repository_id', arc: 15 },
  { claim: 'repository_owner', arc: 16, prefix: GITHUB },
  { claim: 'repository_owner_id', arc: 17 },
  { claim: 'workflow_ref', arc: 18, prefix: GITHUB },
  { claim: 'workflow_sha', arc: 19 },
  { claim: 'event_name', arc: 20 },
  { claim: 'repository_visibility', arc: 22 },
];

const LAST_LEGACY_ARC = 6;

export function extensionsOf(claims: JWTPayload): readonly CertificateExtension[] {
  const found = ROWS.flatMap(({ claim, arc, prefix = '' }): CertificateExtension[] => {
    const value = claims[claim];
    if (typeof value !== 'string') return [];
    return [{ oid: `1.3.6.1.4.1.57264.1.${arc}`, value: `${prefix}${value}`, legacy: arc <= LAST_LEGACY_ARC }];
  });
  const { repository, run_id: run, run_attempt: attempt } = claims;
  if (typeof repository !== 'string' || typeof run !== 'string' || typeof attempt !== 'string') return found;
  const value = `${GITHUB}${repository}/actions/runs/${run}/attempts/${attempt}`;
  return [...found, { oid: '1.3.6.1.4.1.57264.1.21', value }];
}
