import { COSIGN_SIGN_PREDICATE_TYPE } from '../../intoto/predicate-types.ts';
import { imageOf } from '../evidence.ts';
import type { Rule } from './rule.ts';
import { requireStatement } from './signed-statement.ts';

/**
 * A signature is a statement that says nothing but "I signed this". An SBOM or provenance by the same signer is none: who may
 * describe an image need not be who may release it.
 */
export const signatureRule: Rule<'signature'> = ({ id, by }, context) =>
  requireStatement(
    { predicateType: COSIGN_SIGN_PREDICATE_TYPE, by },
    {
      id,
      kind: 'signature',
      missing: 'SIGNATURE_MISSING',
      thing: 'signature',
      command: `boltseal sign ${imageOf(context.evidence)}`,
    },
    context,
  );
