import type { MapNode, Node } from './document.ts';
import { didYouMean, type Place, type Report } from './problem.ts';

/** Turns a node into a value, or reports what is wrong with it and gives undefined. */
export type Reader<T> = (node: Node, report: Report) => T | undefined;

/** A value that is looked at again later, with the place to complain about. */
export interface Located<T> extends Place {
  readonly value: T;
}

export interface Field<T> {
  readonly read: Reader<T>;
  readonly required: boolean;
}

export function needed<T>(read: Reader<T>): Field<T> {
  return { read, required: true };
}

export function maybe<T>(read: Reader<T>): Field<T> {
  return { read, required: false };
}

type Fields<T> = { readonly [K in keyof T]-?: Field<NonNullable<T[K]>> };

/**
 * An object with these fields and no other. With `exactlyOneOf`, one of those (optional) fields must be there and no
 * second one.
 */
export function record<T>(
  what: string,
  fields: Fields<T>,
  { exactlyOneOf = [] }: { readonly exactlyOneOf?: readonly (keyof T & string)[] } = {},
): Reader<T> {
  const table: Readonly<Record<string, Field<unknown>>> = fields;
  return (node, report) => {
    if (node.kind !== 'map') return wrong(node, report, `${what} should be an object`);
    const result: Record<string, unknown> = {};
    let complete = checkAlternatives(node, exactlyOneOf, { what, report });
    for (const { key, keyPlace, value } of node.entries) {
      const field = Object.hasOwn(table, key) ? table[key] : undefined;
      const read = field?.read(value, report);
      if (field === undefined) report(keyPlace, `${what} has no field "${key}"${didYouMean(key, Object.keys(table))}`);
      if (read === undefined) complete = false;
      else result[key] = read;
    }
    const present = new Set(node.entries.map(({ key }) => key));
    for (const [name, { required }] of Object.entries(table)) {
      if (!required || present.has(name)) continue;
      report(node, `${what} needs the field "${name}"`);
      complete = false;
    }
    return complete ? (result as T) : undefined;
  };
}

function checkAlternatives(
  node: MapNode,
  names: readonly string[],
  { what, report }: { readonly what: string; readonly report: Report },
): boolean {
  if (names.length === 0) return true;
  const found = node.entries.filter(({ key }) => names.includes(key));
  if (found.length === 1) return true;
  const [, second] = found;
  if (second === undefined) report(node, `${what} needs one of ${names.join(', ')}`);
  else report(second.keyPlace, `${what} takes only one of ${names.join(', ')}`);
  return false;
}

/** A list that is not empty. */
export function listOf<T>(what: string, read: Reader<T>): Reader<readonly T[]> {
  return (node, report) => {
    if (node.kind !== 'list') return wrong(node, report, `${what} should be a list`);
    if (node.items.length === 0) return wrong(node, report, `${what} should not be empty`);
    const items = node.items.map((item) => read(item, report));
    return items.every((item) => item !== undefined) ? items : undefined;
  };
}

/** An object whose keys are names of the writer's choosing; not empty. */
export function namesTo<T>(what: string, read: Reader<T>): Reader<readonly { name: Located<string>; value: T }[]> {
  return (node, report) => {
    if (node.kind !== 'map') return wrong(node, report, `${what} should be an object`);
    if (node.entries.length === 0) return wrong(node, report, `${what} should not be empty`);
    const entries = node.entries.map(({ key, keyPlace, value }) => ({
      name: name(what)({ kind: 'scalar', value: key, ...keyPlace }, report),
      value: read(value, report),
    }));
    const complete = entries.every((entry) => entry.name !== undefined && entry.value !== undefined);
    return complete ? (entries as { name: Located<string>; value: T }[]) : undefined;
  };
}

/** A string that is not empty and has no spaces around it. */
export function text(what: string): Reader<Located<string>> {
  return (node, report) => {
    if (node.kind !== 'scalar' || typeof node.value !== 'string')
      return wrong(node, report, `${what} should be a string${node.kind === 'scalar' ? ': put it in quotes' : ''}`);
    if (node.value === '' || node.value.trim() !== node.value)
      return wrong(node, report, `${what} should not be empty, or have spaces around it`);
    return { value: node.value, line: node.line, column: node.column };
  };
}

/** A name that is used elsewhere: letters, digits, `-`, `_` and `.`. */
export function name(what: string): Reader<Located<string>> {
  return (node, report) => {
    const found = text(what)(node, report);
    if (found === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(found.value)) return found;
    return wrong(node, report, `${what}: "${found.value}" is not a name (letters, digits, - _ and ., at most 63)`);
  };
}

export function oneOf<const T extends string>(what: string, words: readonly T[]): Reader<T> {
  return (node, report) => {
    const found = text(what)(node, report);
    if (found === undefined) return undefined;
    const word = words.find((candidate) => candidate === found.value);
    if (word !== undefined) return word;
    return wrong(node, report, `${what} should be ${words.join(' or ')}${didYouMean(found.value, words)}`);
  };
}

export function count(what: string): Reader<Located<number>> {
  return (node, report) => {
    if (node.kind === 'scalar' && Number.isSafeInteger(node.value) && (node.value as number) >= 1)
      return { value: node.value as number, line: node.line, column: node.column };
    return wrong(node, report, `${what} should be a whole number, at least 1`);
  };
}

function wrong(place: Place, report: Report, message: string): undefined {
  report(place, message);
  return undefined;
}
