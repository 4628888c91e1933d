/** Readers for values of unknown shape. Each throws a ShapeError naming the place; callers turn it into their own code. */

export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an object', value);
  return value as JsonObject;
}

export function asArray(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(where, 'a list', value);
  return value;
}

export function asString(value: unknown, where: string): string {
  if (typeof value !== 'string') throw wrong(where, 'a string', value);
  return value;
}

/** A whole number that is not negative and exact in a double. */
export function asCount(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(where, 'a whole number', value);
  return value as number;
}

/** Applies `read` to an own property that is there; an absent or null one is undefined. */
export function optional<T>(
  object: JsonObject,
  key: string,
  read: (value: unknown, where: string) => T,
  where = '',
): T | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return value === undefined || value === null ? undefined : read(value, where === '' ? key : `${where}.${key}`);
}

/** Applies `read` to an own property that must be there. */
export function required<T>(
  object: JsonObject,
  key: string,
  read: (value: unknown, where: string) => T,
  where = '',
): T {
  return read(Object.hasOwn(object, key) ? object[key] : undefined, where === '' ? key : `${where}.${key}`);
}

/** A flat map of strings (annotations, labels). */
export function asStringMap(value: unknown, where: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(asObject(value, where)).map(([key, text]) => [key, asString(text, `${where}.${key}`)]),
  );
}

function wrong(where: string, wanted: string, value: unknown): ShapeError {
  const found =
    value === undefined ? 'missing' : value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return new ShapeError(`${where} should be ${wanted} but is ${found}`);
}
