import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import type { ImageConfig } from '../oci/config.ts';

/**
 * The time a document bears: SOURCE_DATE_EPOCH (whole seconds, reproducible-builds.org) when it is set, else the time the image
 * says it was created, else none. Never the clock: the same image gives the same bytes.
 *
 * @throws BoltsealError USAGE when SOURCE_DATE_EPOCH is no such number
 */
export function documentTime(config: Pick<ImageConfig, 'created'>, context: Context): Date | undefined {
  const epoch = context.env['SOURCE_DATE_EPOCH'];
  if (epoch !== undefined && epoch !== '') return epochTime(epoch);
  const created = /^\d{4}-\d\d-\d\dT/.test(config.created ?? '') ? new Date(config.created ?? '') : undefined;
  // Year 1 is how Go writes "no time".
  return created === undefined || Number.isNaN(created.getTime()) || created.getUTCFullYear() <= 1
    ? undefined
    : created;
}

function epochTime(epoch: string): Date {
  const time = new Date(Number(epoch) * 1000);
  if (/^\d{1,12}$/.test(epoch) && !Number.isNaN(time.getTime())) return time;
  throw new BoltsealError('USAGE', `SOURCE_DATE_EPOCH is "${epoch}", which is no number of seconds`, {
    hint: 'Set SOURCE_DATE_EPOCH to whole seconds since 1970, as `git log -1 --format=%ct` prints them, or unset it.',
  });
}
