export const BOX_KEY_BYTES = 32;
export const BOX_NONCE_BYTES = 24;

interface BoxKey {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 24 bytes, never twice with one key. */
  readonly nonce: Uint8Array;
}

/** NaCl's secretbox (XSalsa20-Poly1305, the tag first), which Node's crypto has not. */
export async function sealBox(message: Uint8Array, { key, nonce }: BoxKey): Promise<Buffer> {
  const { secretbox } = await import('@noble/ciphers/salsa.js');
  return Buffer.from(secretbox(key, nonce).seal(message));
}

/** The message, or undefined when key, nonce and box do not belong together or the box was changed. */
export async function openBox(box: Uint8Array, { key, nonce }: BoxKey): Promise<Buffer | undefined> {
  const { secretbox } = await import('@noble/ciphers/salsa.js');
  try {
    return Buffer.from(secretbox(key, nonce).open(box));
  } catch {
    return undefined;
  }
}
