import { predicateTypeName } from '../../intoto/predicate-types.ts';
import { imageOf } from '../evidence.ts';
import type { Rule } from './rule.ts';
import { requireStatement } from './signed-statement.ts';

/** An attestation of one predicate type, by one of the signers, young enough. */
export const attestationRule: Rule<'attestation'> = ({ id, predicateType, by, maxAge }, context) => {
  const type = predicateTypeName(predicateType);
  return requireStatement(
    { predicateType, by, ...(maxAge === undefined ? {} : { maxAge }) },
    {
      id,
      kind: 'attestation',
      missing: 'ATTESTATION_MISSING',
      thing: `${type} attestation`,
      command: `boltseal attest --type ${type} --predicate FILE ${imageOf(context.evidence)}`,
    },
    context,
  );
};
