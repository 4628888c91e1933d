import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Context } from '../../base/context.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function pairOf(privateKey: KeyObject): KeyPair {
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** A certificate, RFC 7468. */
export function toPem(der: Uint8Array): string {
  return armour('CERTIFICATE', der);
}

/** A SubjectPublicKeyInfo, RFC 7468. */
export function toPemKey(der: Uint8Array): string {
  return armour('PUBLIC KEY', der);
}

function armour(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/**
 * Now, without a fraction: DER drops the zeros at the end of a fraction, and @sigstore/core 4.0.1 reads only fractions of
 * three digits, so that one timestamp in ten could not be read.
 */
export function wholeSecond(context: Context): Date {
  return new Date(Math.floor(context.now().getTime() / 1000) * 1000);
}

export function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
