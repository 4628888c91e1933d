import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { asArray, asObject, asString, optional, required, type JsonObject } from '../../base/shape.ts';
import { normaliseHost, parseRegistryReference } from '../../oci/reference.ts';
import type { Mirror, RegistryRule } from './registry-rule.ts';

/**
 * The rules of one file, containers-registries.conf(5) version 2. A file that is not understood is an error: it may be the
 * one that blocks a registry. Keys of a registry that mean nothing here are warned about.
 *
 * @throws BoltsealError REGISTRIES_CONF_INVALID
 */
export async function parseRegistriesConf(
  bytes: Uint8Array,
  file: string,
  context: Context,
): Promise<readonly RegistryRule[]> {
  try {
    if (bytes.length > LIMITS.registriesConfBytes)
      throw new Error(`it is more than ${LIMITS.registriesConfBytes} bytes`);
    // Loaded where there is such a file: most machines have none.
    const { parse } = await import('smol-toml');
    const document = asObject(parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), 'the file');
    if (Object.hasOwn(document, 'registries'))
      throw new Error('[registries] is of version 1, which nobody reads any more');
    const rules = (optional(document, 'registry', asArray) ?? []).map((entry, at) =>
      readRule(asObject(entry, `registry[${at}]`), { file, warn: warner(file, context) }),
    );
    const twice = rules.find(({ prefix }, at) => rules.findIndex((other) => other.prefix === prefix) !== at);
    if (twice !== undefined) throw new Error(`the prefix "${twice.prefix}" is there twice`);
    return rules;
  } catch (cause) {
    throw new BoltsealError('REGISTRIES_CONF_INVALID', `${file} cannot be used: ${messageOf(cause)}`, {
      hint: 'Correct it as containers-registries.conf(5) describes, or name another with CONTAINERS_REGISTRIES_CONF.',
      cause,
    });
  }
}

function warner(file: string, { emit }: Context): (message: string) => void {
  return (message) => emit({ kind: 'warning', message: `${file}: ${message}` });
}

interface From {
  readonly file: string;
  readonly warn: (message: string) => void;
}

const RULE_KEYS = ['prefix', 'location', 'insecure', 'blocked', 'mirror', 'mirror-by-digest-only'];
const MIRROR_KEYS = ['location', 'insecure', 'pull-from-mirror'];

function readRule(entry: JsonObject, { file, warn }: From): RegistryRule {
  const location = readLocation(optional(entry, 'location', asString) ?? '');
  const prefix = readPrefix(optional(entry, 'prefix', asString) || (location ?? ''));
  if (location === undefined && !prefix.startsWith('*.') && Object.hasOwn(entry, 'location'))
    throw new Error(`the location of "${prefix}" is empty`);
  warnUnknown(entry, RULE_KEYS, warn);
  const byDigest = optional(entry, 'mirror-by-digest-only', asFlag) ?? false;
  const mirrors = (optional(entry, 'mirror', asArray) ?? []).map((mirror) => {
    const object = asObject(mirror, 'mirror');
    warnUnknown(object, MIRROR_KEYS, warn);
    return readMirror(object, byDigest);
  });
  return {
    prefix,
    location,
    insecure: optional(entry, 'insecure', asFlag) ?? false,
    blocked: optional(entry, 'blocked', asFlag) ?? false,
    mirrors,
    file,
  };
}

function readMirror(entry: JsonObject, byDigest: boolean): Mirror {
  const location = readLocation(required(entry, 'location', asString, 'mirror'));
  if (location === undefined) throw new Error('a mirror has no location');
  const wanted = optional(entry, 'pull-from-mirror', asString) ?? '';
  if (byDigest && wanted !== '')
    throw new Error(`"pull-from-mirror" of ${location} contradicts "mirror-by-digest-only"`);
  const serves = byDigest ? 'digest-only' : wanted === '' ? 'all' : wanted;
  if (serves !== 'all' && serves !== 'digest-only' && serves !== 'tag-only')
    throw new Error(`"pull-from-mirror" is "${wanted}"; it can be all, digest-only or tag-only`);
  return { location, insecure: optional(entry, 'insecure', asFlag) ?? false, serves };
}

function readPrefix(text: string): string {
  const [, wildcard = '', rest = ''] = /^(\*\.)?(.*?)\/*$/.exec(text) ?? [];
  const location = readLocation(rest);
  if (location === undefined) throw new Error('a registry has neither prefix nor location');
  return wildcard + location;
}

/** `host[:port][/path]` with the host in its one spelling; undefined for an empty text. @throws Error */
function readLocation(text: string): string | undefined {
  if (text === '') return undefined;
  const [host = '', ...path] = text.replace(/\/+$/, '').split('/');
  if (!/[.:]/.test(host) && host !== 'localhost')
    throw new Error(`"${text}" does not begin with the host of a registry`);
  // A tag or digest is no name of a repository, so it is refused here.
  parseRegistryReference([host, ...path, 'image'].join('/'));
  return [normaliseHost(host), ...path].join('/');
}

function asFlag(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw new Error(`${where} should be true or false`);
  return value;
}

function warnUnknown(entry: JsonObject, known: readonly string[], warn: (message: string) => void): void {
  for (const key of Object.keys(entry)) if (!known.includes(key)) warn(`"${key}" of a registry means nothing here`);
}
