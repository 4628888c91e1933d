import type { TransparencyLogEntry } from '@sigstore/bundle';
import type { TrustMaterial } from '@sigstore/verify';
import { Rejected } from './rejection.ts';
import type { LoggedEntry } from './verification.ts';

type Log = TrustMaterial['tlogs'][number];

/** A log entry of a log that the trust root lists. Nothing in it is verified yet. */
export interface TrustedLogEntry {
  readonly entry: TransparencyLogEntry;
  /** Every instance the trust root lists under the entry's log id: one key, perhaps several periods. */
  readonly logs: readonly Log[];
  readonly logUrl: string;
}

/**
 * The entries that count: of logs in the trust root. Others are left out, so that an entry in a log we do not know
 * cannot spoil one in a log we do; but every one that counts must hold.
 *
 * @throws Rejected LOG_ENTRY_MISSING, LOG_ENTRY_DUPLICATE, LOG_ENTRY_INVALID
 */
export function selectLogEntries(
  entries: readonly TransparencyLogEntry[],
  logs: readonly Log[],
  needed: number,
): readonly TrustedLogEntry[] {
  const known = entries.flatMap((entry) => {
    const own = logs.filter(({ logID }) => logID.equals(entry.logId.keyId));
    return own[0] === undefined ? [] : [{ entry, logs: own, logUrl: own[0].baseURL }];
  });
  checkDuplicates(known);
  for (const { entry } of known) checkNumbers(entry);
  const distinct = new Set(known.map(({ entry }) => entry.logId.keyId.toString('hex'))).size;
  if (distinct < needed) {
    const foreign = entries.length - known.length;
    const others = foreign === 0 ? '' : `; ${foreign} more in logs that the trust root does not list`;
    throw new Rejected('LOG_ENTRY_MISSING', `entries in ${distinct} trusted logs where ${needed} are needed${others}`);
  }
  return known;
}

/** What may be shown of an entry once it is verified: an index that a signature of the log covers. */
export function toLoggedEntry({ entry, logUrl }: TrustedLogEntry): LoggedEntry {
  const index = entry.inclusionPromise === undefined ? entry.inclusionProof?.logIndex : entry.logIndex;
  return { logUrl, index: index ?? '' };
}

/**
 * The key of the log must have been valid at every trusted time. The library looks only where the log itself promises a
 * time, so that a retired or future key of a log without promises (Rekor v2) would do.
 *
 * @throws Rejected LOG_KEY_OUTSIDE_VALIDITY
 */
export function checkLogValidity({ logs, logUrl }: TrustedLogEntry, times: readonly Date[]): void {
  const outside = times.find((time) => !logs.some(({ validFor }) => validFor.start <= time && time <= validFor.end));
  if (outside !== undefined)
    throw new Rejected(
      'LOG_KEY_OUTSIDE_VALIDITY',
      `the key of ${logUrl} was not valid at ${outside.toISOString()}, when the signature is recorded`,
    );
}

/** An entry is the same one by its log and content; its position is not covered by every proof. */
function checkDuplicates(entries: readonly TrustedLogEntry[]): void {
  const ids = entries.map(
    ({ entry }) => `${entry.logId.keyId.toString('hex')} ${entry.canonicalizedBody.toString('hex')}`,
  );
  if (new Set(ids).size !== ids.length)
    throw new Rejected('LOG_ENTRY_DUPLICATE', 'the bundle repeats one entry of a transparency log');
}

/** Plain decimal numbers, exact in a double: the library also reads `0x10`, `-1` and what rounds to another number. */
function checkNumbers({ logIndex, integratedTime, inclusionProof }: TransparencyLogEntry): void {
  const numbers = { logIndex, integratedTime, 'the index of the proof': inclusionProof?.logIndex ?? '0' };
  for (const [what, text] of Object.entries(numbers))
    if (!/^(?:0|[1-9]\d{0,15})$/.test(text) || !Number.isSafeInteger(Number(text)))
      throw new Rejected('LOG_ENTRY_INVALID', `${what} of a log entry is "${text.slice(0, 40)}"`);
}
