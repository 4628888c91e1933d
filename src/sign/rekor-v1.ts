import { InternalError, RekorWitness, type Witness } from '@sigstore/sign';
import type { Context } from '../base/context.ts';
import { isBoltsealError, messageOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { statusOf } from './certificate.ts';
import { interruptible, RETRY } from './http.ts';
import { logMessage } from './rekor-v1-message.ts';
import { serviceError } from './service-error.ts';

/**
 * Has a signature logged in Rekor v1: an envelope as dsse 0.0.1, a message as hashedrekord 0.0.1. An entry that is there
 * already (409) is fetched and used.
 */
export function rekorV1Witness(url: string, context: Context): Witness {
  const witness = new RekorWitness({
    rekorBaseURL: url.replace(/\/+$/, ''),
    majorApiVersion: 1,
    entryType: 'dsse',
    fetchOnConflict: true,
    timeout: LIMITS.rekorTimeoutMs,
    retry: RETRY,
  });
  return {
    async testify(content, verifierPem) {
      if (content.$case === 'messageSignature')
        return { tlogEntries: [await logMessage(content.messageSignature, { url, verifierPem }, context)] };
      return interruptible(witness.testify(content, verifierPem), context).catch((cause: unknown) => {
        throw isBoltsealError(cause) ? cause : rekorError(url, cause);
      });
    },
  };
}

function rekorError(url: string, cause: unknown): Error {
  const status = cause instanceof InternalError ? statusOf(cause) : undefined;
  const inner = cause instanceof InternalError && cause.cause !== undefined ? cause.cause : cause;
  const detail = messageOf(inner).replace(/^\(\d{3}\) /, '');
  const failure = { what: 'an entry in the transparency log', url, detail, cause };
  return serviceError('REKOR_FAILED', status === undefined ? failure : { ...failure, status });
}
