import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node as YamlNode,
  type YAMLMap,
} from 'yaml';
import { LIMITS } from '../base/limits.ts';
import type { Place, Report } from './problem.ts';

/** A value in a document, with its place. JSON's values and nothing more. */
export type Node = MapNode | ListNode | ScalarNode;

export interface MapNode extends Place {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: Node;
}

export interface ListNode extends Place {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

export interface ScalarNode extends Place {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
}

const WHOLE_FILE: Place = { line: 1, column: 1 };

/**
 * Reads YAML 1.2 (or JSON, which is part of it) as plain data. What lets two readers see two things is reported:
 * duplicate and merge keys, anchors and aliases, tags, keys that are not strings. Several documents may be in one file.
 */
export function parseDocuments(text: string, report: Report): readonly Node[] {
  if (Buffer.byteLength(text) > LIMITS.policyBytes) {
    report(WHOLE_FILE, `the file is larger than ${LIMITS.policyBytes} bytes`);
    return [];
  }
  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const options = { lineCounter: lines, strict: true, uniqueKeys: true, merge: false, version: '1.2' } as const;
  const documents = parseAllDocuments(text, { ...options, prettyErrors: false, logLevel: 'silent' });
  return [...documents].flatMap((document) => readDocument(document, { placeOf, report }));
}

interface Reading {
  readonly placeOf: (offset: number) => Place;
  readonly report: Report;
}

function readDocument(document: Document.Parsed, { placeOf, report }: Reading): readonly Node[] {
  const faults = [...document.errors, ...document.warnings];
  for (const { code, message, pos } of faults)
    report(placeOf(pos[0]), code === 'DUPLICATE_KEY' ? 'a key is there twice in one object' : firstLine(message));
  if (faults.length > 0 || document.contents === null) return [];
  const node = convert(document.contents, { placeOf, report }, 0);
  return node === undefined ? [] : [node];
}

function convert(node: YamlNode | null, reading: Reading, depth: number): Node | undefined {
  const place = reading.placeOf(node?.range?.[0] ?? 0);
  const refusal = refusalOf(node, depth);
  if (refusal !== undefined || node === null) {
    reading.report(place, refusal ?? 'there is no value here');
    return undefined;
  }
  if (isMap(node)) return { kind: 'map', ...place, entries: convertEntries(node, reading, depth) };
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item as YamlNode | null, reading, depth + 1));
    return { kind: 'list', ...place, items: items.filter((item) => item !== undefined) };
  }
  const value: unknown = isScalar(node) ? node.value : undefined;
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value))
    return { kind: 'scalar', ...place, value: value as ScalarNode['value'] };
  reading.report(place, 'this kind of value is not used in policies');
  return undefined;
}

function convertEntries(map: YAMLMap, reading: Reading, depth: number): readonly MapEntry[] {
  return map.items.flatMap((pair) => {
    const key = pair.key as YamlNode | null;
    const keyPlace = reading.placeOf(key?.range?.[0] ?? map.range?.[0] ?? 0);
    if (!isScalar(key) || typeof key.value !== 'string' || refusalOf(key, depth) !== undefined) {
      reading.report(keyPlace, 'a key must be a plain string');
      return [];
    }
    if (key.value === '<<') {
      reading.report(keyPlace, 'merge keys are not supported: write the fields out');
      return [];
    }
    const value = convert(pair.value as YamlNode | null, reading, depth + 1);
    return value === undefined ? [] : [{ key: key.value, keyPlace, value }];
  });
}

function refusalOf(node: YamlNode | null, depth: number): string | undefined {
  if (depth > LIMITS.policyDepth) return `nested deeper than ${LIMITS.policyDepth} levels`;
  if (isAlias(node)) return 'aliases are not supported: write the value out';
  if (node === null) return undefined;
  if ('anchor' in node && node.anchor !== undefined)
    return 'anchors are not supported: write the value out where it is used';
  return node.tag === undefined || node.tag.startsWith('tag:yaml.org,2002:')
    ? undefined
    : `the tag ${node.tag} is not supported`;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
