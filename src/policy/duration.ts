const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `30d`, `24h`, `90m`, `45s`, `2w` in milliseconds; undefined for anything else, zero included. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^([1-9]\d{0,5})([smhdw])$/.exec(text) ?? [];
  const ms = unit === undefined ? undefined : UNITS_MS[unit];
  return ms === undefined ? undefined : Number(amount) * ms;
}

/** A span of time for a person, in whole units: "82 days", "5 hours". */
export function formatDuration(ms: number): string {
  const [size = 1000, unit = 'second'] = SPOKEN.find(([least]) => ms >= 2 * least) ?? [];
  const amount = Math.max(0, Math.floor(ms / size));
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}

const SPOKEN: readonly (readonly [number, string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];
