import type * as mock from '@sigstore/mock';
import { BoltsealError } from '../../base/errors.ts';

export type CertificateAuthority = Awaited<ReturnType<typeof mock.initializeCA>>;
export type TimestampIssuer = Awaited<ReturnType<typeof mock.initializeTSA>>;

/**
 * The certificate authority, CT log and timestamp authority of the sandbox come from an optional package, so that a
 * pipeline that only signs and verifies does not install them.
 *
 * @throws BoltsealError SANDBOX_UNAVAILABLE
 */
export async function importMock(): Promise<typeof mock> {
  try {
    return await import('@sigstore/mock');
  } catch (cause) {
    throw new BoltsealError('SANDBOX_UNAVAILABLE', 'the sandbox needs the package @sigstore/mock, which is not here', {
      hint: 'Install it beside boltseal: npm install --save-dev @sigstore/mock@0.13.0',
      cause,
    });
  }
}
