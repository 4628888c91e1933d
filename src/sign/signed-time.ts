import type { Bundle } from '@sigstore/bundle';
import { ASN1Obj } from '@sigstore/core';

type Material = Bundle['verificationMaterial'];

/** The times a fresh bundle carries, earliest first: those that Rekor v1 integrated it at, and those of its timestamps. */
export function signedTimes(material: Material): readonly Date[] {
  const integrated = material.tlogEntries
    .map(({ integratedTime }) => Number(integratedTime))
    .filter((seconds) => seconds > 0)
    .map((seconds) => new Date(seconds * 1000));
  const stamped = (material.timestampVerificationData?.rfc3161Timestamps ?? []).flatMap(({ signedTimestamp }) => {
    const time = timeOf(ASN1Obj.parseBuffer(Buffer.from(signedTimestamp)));
    return time === undefined ? [] : [time];
  });
  return [...integrated, ...stamped].toSorted((a, b) => a.getTime() - b.getTime());
}

/**
 * genTime of TSTInfo (RFC 3161, section 2.4.2), with a fraction of any length: @sigstore/core 4.0.1 reads fractions of
 * exactly three digits only.
 */
function timeOf(response: ASN1Obj): Date | undefined {
  const content = response.subs[1]?.subs[1]?.subs[0]?.subs[2]?.subs[1]?.subs[0];
  if (content === undefined) return undefined;
  const info = ASN1Obj.parseBuffer(Buffer.from(content.value)).subs;
  const text = info.find(({ tag }) => tag.isGeneralizedTime())?.value.toString('latin1') ?? '';
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(text) ?? [];
  if (year === undefined) return undefined;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`);
}
