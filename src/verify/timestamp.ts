import { RFC3161Timestamp } from '@sigstore/core';

const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d+))?Z$/;
const SIGNED_DATA_VERSION_AND_TIME_AT = 4;

/**
 * An RFC 3161 response whose time may have any number of fractional digits: DER drops trailing zeros, and the library
 * insists on three, so that one timestamp in ten of an authority with milliseconds would not be read.
 */
export class Timestamp extends RFC3161Timestamp {
  static override parse(der: Buffer<ArrayBuffer>): Timestamp {
    return new Timestamp(RFC3161Timestamp.parse(der).root);
  }

  /** The fraction is cut to milliseconds. */
  override get signingTime(): Date {
    const encoded = this.tstInfo.root.subs[SIGNED_DATA_VERSION_AND_TIME_AT];
    const text = encoded?.tag.isGeneralizedTime() === true ? encoded.value.toString('latin1') : '';
    const [, year, month, day, hour, minute, second, fraction = ''] = GENERALIZED_TIME.exec(text) ?? [];
    const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
    const time = new Date(iso);
    // Date.parse rolls the 31st of February over to March; written back it is another text.
    if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) throw new Error(`"${text}" is not a time`);
    return time;
  }

  /** PKIStatus granted (0) or grantedWithMods (1): RFC 3161, 2.4.2. */
  get granted(): boolean {
    return this.status === 0n || this.status === 1n;
  }
}
