import { ACCESS_FAULTS } from './access-faults.ts';
import type { Fault } from './fault.ts';
import { READING_FAULTS } from './reading-faults.ts';
import { REFERRERS_FAULTS } from './referrers-faults.ts';
import { UPLOAD_FAULTS } from './upload-faults.ts';

const ALL = { ...REFERRERS_FAULTS, ...UPLOAD_FAULTS, ...READING_FAULTS, ...ACCESS_FAULTS } as const;

export type FaultName = keyof typeof ALL;

/** Every fault that the sandbox's registry can have, by name. */
export const FAULTS: Readonly<Record<FaultName, Fault>> = ALL;

export function isFaultName(text: string): text is FaultName {
  return Object.hasOwn(FAULTS, text);
}
