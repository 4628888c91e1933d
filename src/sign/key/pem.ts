/** One block of a PEM file: RFC 7468, and the headers that OpenSSL's older form has between. */
export interface PemBlock {
  readonly label: string;
  /** The block as it stands in the file. */
  readonly text: string;
  /** What the base64 between the lines decodes to; empty when there are headers before it. */
  readonly bytes: Buffer;
  readonly hasHeaders: boolean;
}

/** The blocks of a PEM file, in order. What is between them is ignored, as RFC 7468 section 2 has it. */
export function readPem(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([whole, label = '', body = '']) => {
    const hasHeaders = body.includes(':');
    const bytes = /^[A-Za-z0-9+/=\s]*$/.test(body) ? Buffer.from(body, 'base64') : Buffer.alloc(0);
    return { label, text: `${whole}\n`, bytes, hasHeaders };
  });
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n((?:(?!-----)[^])*)-----END \1-----/g;

export function writePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
