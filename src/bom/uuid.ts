import { createHash } from 'node:crypto';

/** The namespace of the identifiers boltseal makes: a random UUID, chosen once. */
const NAMESPACE = Buffer.from('6f1c1d0e5b7d4f6c9a1f3c2be0d84a57', 'hex');

/** A name-based UUID, version 5: RFC 9562, section 5.5. The same parts always give the same one. */
export function uuidOf(parts: readonly (string | undefined)[]): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
