import { BoltsealError, isBoltsealError } from '../base/errors.ts';

export type CopySide = 'source' | 'destination';

/** Runs what talks to one side, so that an error says which. */
export async function onSide<T>(side: CopySide, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw sidedError(side, error);
  }
}

export function sidedError(side: CopySide, error: unknown): unknown {
  if (!isBoltsealError(error) || error.code === 'INTERRUPTED') return error;
  const where = side === 'source' ? 'reading the source' : 'writing the destination';
  return new BoltsealError(error.code, `${where}: ${error.message}`, { hint: error.hint, cause: error });
}
