import type { TrustCheck, TrustSummary } from '../actions/trust.ts';
import { jsonDocument } from './json-view.ts';
import { PLAIN, type Style } from './style.ts';

/** Whom a file trusts: one line a service, or `{"schemaVersion": 1, "kind": "TrustResult", "source", "services"}`. */
export const trustView = { text: trustText, json: trustJson } as const;

function trustText(summary: TrustSummary | TrustCheck, style: Style = PLAIN): string {
  const { source, services } = summary;
  const widest = Math.max(0, ...services.map(({ kind }) => kind.length));
  const lines = services.flatMap((service) => {
    const mark = service.isValid ? style.good('✓') : style.faint('–');
    const { fingerprint, key } = service;
    const identity = fingerprint === undefined ? [] : [`    ${style.faint(`${key ?? ''} ${fingerprint}`.trim())}`];
    return [`  ${mark} ${service.kind.padEnd(widest)}   ${service.name}   ${dates(service)}`, ...identity];
  });
  return `${[`${style.strong(source)}${verdict(summary, style)}`, ...lines].join('\n')}\n`;
}

function verdict(summary: TrustSummary | TrustCheck, style: Style): string {
  if (!('isCurrent' in summary)) return '';
  const { isCurrent, mirrorUrl } = summary;
  return isCurrent
    ? `   ${style.good('✓')} is what ${mirrorUrl} vouches for`
    : `   ${style.bad('✗')} is not what ${mirrorUrl} vouches for: boltseal trust update writes that`;
}

function dates({ start, end, isValid }: TrustSummary['services'][number]): string {
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  const range = end === undefined ? `since ${day(start)}` : `${day(start)} to ${day(end)}`;
  return isValid ? range : `${range}, not valid now`;
}

function trustJson(summary: TrustSummary | TrustCheck): string {
  return jsonDocument('TrustResult', summary);
}
