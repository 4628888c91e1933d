import { createHash } from 'node:crypto';
import { json, readBody, ReplyError, type SandboxRequest } from '../../http/message.ts';

/** The one client there is: public for people, and with a secret for machines. */
export const SANDBOX_CLIENT_ID = 'sigstore';
export const SANDBOX_CLIENT_SECRET = 'sandbox';

const MAX_FORM_BYTES = 64 * 1024;

/** Mints an ID token for the person or machine that the sandbox takes everybody for. */
export type MintIdToken = (claims: Readonly<Record<string, unknown>>) => Promise<string>;

/** An error of RFC 6749, section 5.2, or RFC 8628, section 3.5. */
export function oauthError(error: string, description: string): ReplyError {
  return new ReplyError(json(400, { error, error_description: description }, { 'cache-control': 'no-store' }));
}

/** @throws ReplyError invalid_request */
export async function readForm({ stream }: SandboxRequest): Promise<URLSearchParams> {
  const tooLarge = oauthError('invalid_request', 'The request is too large').reply;
  return new URLSearchParams((await readBody(stream, MAX_FORM_BYTES, tooLarge)).toString('utf8'));
}

/** Whether the verifier is that of an S256 challenge (RFC 7636, section 4.6). */
export function isVerifierOf(challenge: string, verifier: string): boolean {
  return createHash('sha256').update(verifier).digest('base64url') === challenge;
}

/** @throws ReplyError invalid_client for another client than ours */
export function checkClientId(clientId: string | null): void {
  if (clientId !== SANDBOX_CLIENT_ID) throw oauthError('invalid_client', `The only client is ${SANDBOX_CLIENT_ID}`);
}
