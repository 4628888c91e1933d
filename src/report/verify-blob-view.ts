import type { BlobVerdict } from '../actions/verify-blob.ts';
import type { VerifiedSigner } from '../verify/verification.ts';
import { jsonDocument } from './json-view.ts';
import { PLAIN, type Style } from './style.ts';

/** The answer to `verify-blob`: for people, or `{"schemaVersion": 1, "kind": "VerifyBlobResult", "verified", …}`. */
export const verifyBlobView = { text: verifyBlobText, json: verifyBlobJson } as const;

function verifyBlobText(verdict: BlobVerdict, style: Style = PLAIN): string {
  const { file } = verdict;
  if (!verdict.ok) {
    const { code, reason, next } = verdict.rejection;
    return `${style.bad('✗')} ${style.strong(file)}   not verified: ${reason}   ${style.bad(code)}\n  → ${next}\n`;
  }
  const { signer, signedAt, logEntries } = verdict.signature;
  const what = verdict.predicateType === undefined ? 'signed' : `attested (${verdict.predicateType})`;
  const when = signedAt === undefined ? '' : `, ${signedAt.toISOString()}`;
  const logged = logEntries.map(({ logUrl, index }) => `\n  ${style.faint(`log entry ${index} of ${logUrl}`)}`);
  return `${style.good('✓')} ${style.strong(file)}   ${what} by ${nameOf(signer)}${when}${logged.join('')}\n`;
}

function verifyBlobJson(verdict: BlobVerdict): string {
  if (!verdict.ok) {
    const { file, rejection } = verdict;
    return jsonDocument('VerifyBlobResult', { verified: false, file, ...rejection });
  }
  const { file, signature, predicateType } = verdict;
  const { signer, signedAt, times, logEntries, bundleDigest } = signature;
  return jsonDocument('VerifyBlobResult', {
    verified: true,
    file,
    predicateType,
    signer,
    signedAt,
    times,
    logEntries,
    bundle: bundleDigest,
  });
}

function nameOf(signer: VerifiedSigner): string {
  if (signer.kind === 'certificate') return `${signer.identity} (${signer.issuer})`;
  return signer.name === undefined ? `the key ${signer.fingerprint}` : `the key ${signer.name}`;
}
