/** Order by UTF-16 code unit: the same in every locale, unlike localeCompare. */
export function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A comparison of values by a text made of each. */
export function byKey<T>(keyOf: (value: T) => string): (left: T, right: T) => number {
  return (left, right) => byCodeUnit(keyOf(left), keyOf(right));
}
