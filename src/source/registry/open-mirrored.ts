import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/error-codes.ts';
import { repositoryName, type RegistryReference } from '../../oci/reference.ts';
import type { WritableSource } from '../source.ts';
import { isLoopbackHost } from '../network-address.ts';
import { openRegistry, type RegistryOptions } from './registry.ts';
import { matchRule, relocate, type Mirror, type RuleMatch } from './registry-rule.ts';
import { openRegistrySession, type RegistrySession } from './session.ts';

/**
 * A repository of a registry, as registries.conf would have it read: from its mirrors first, in their order, then from the
 * registry itself, which has the last word. A mirror that fails or does not have something says nothing about whether it is
 * there, so its trouble never reads as absence. What is written goes to the registry by its own name.
 *
 * @throws BoltsealError REGISTRY_BLOCKED, REGISTRIES_CONF_INVALID, FILE_NOT_FOUND
 */
export async function openMirrored(
  reference: RegistryReference,
  options: RegistryOptions,
  context: Context,
): Promise<WritableSource> {
  const session = options.session ?? openRegistrySession(options, context);
  try {
    const match = matchRule(await session.rules(), reference);
    const source = openRuled(reference, { match, options: { ...options, session } }, context);
    return {
      ...source,
      async [Symbol.asyncDispose]() {
        if (options.session === undefined) await session[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    if (options.session === undefined) await session[Symbol.asyncDispose]();
    throw error;
  }
}

interface Ruled {
  readonly match: RuleMatch | undefined;
  readonly options: RegistryOptions & { readonly session: RegistrySession };
}

function openRuled(reference: RegistryReference, { match, options }: Ruled, context: Context): WritableSource {
  if (match === undefined) return openRegistry(reference, options, context);
  const { rule, rest } = match;
  if (rule.blocked) {
    throw new BoltsealError('REGISTRY_BLOCKED', `${repositoryName(reference)} is blocked by ${rule.file}`, {
      hint: `Whoever administers this machine does not want "${rule.prefix}" to be used. Ask them, or use another registry.`,
    });
  }
  const needsTls = !isLoopbackHost(new URL(`http://${reference.host}`).hostname);
  const own = rule.insecure && needsTls ? { ...options, tls: { ...options.tls, ...INSECURE } } : options;
  if (options.mirrors === false) return openRegistry(reference, own, context);
  const place = rule.location === undefined ? reference : relocate(reference, rule.location, rest);
  const source = openRegistry(place, own, context);
  const mirrors = rule.mirrors.flatMap((mirror) =>
    openMirror(reference, { mirror, rest, session: options.session }, context),
  );
  return { ...(mirrors.length === 0 ? source : readThrough(source, mirrors, context)), reference };
}

/** One object, so that a session sees that it has been told already. */
const INSECURE = { insecure: true } as const;

interface OpenMirror {
  readonly source: WritableSource;
  readonly serves: Mirror['serves'];
  /** Mirrors of this run that are not asked again. */
  readonly givenUp: Set<string>;
  readonly key: string;
  /** Another attempt at the same mirror follows. */
  readonly isTrial: boolean;
}

interface MirrorPlace {
  readonly mirror: Mirror;
  readonly rest: string;
  readonly session: RegistrySession;
}

/** What the user gave for the registry (a password, a certificate) is not for its mirrors. */
function openMirror(
  reference: RegistryReference,
  { mirror, rest, session }: MirrorPlace,
  context: Context,
): readonly OpenMirror[] {
  const place = relocate(reference, mirror.location, rest);
  const open = (options: RegistryOptions, isTrial: boolean): OpenMirror => ({
    source: openRegistry(place, { ...options, session }, context),
    serves: mirror.serves,
    givenUp: session.givenUp,
    key: JSON.stringify([place.host, options.plainHttp]),
    isTrial,
  });
  if (!mirror.insecure) return [open({}, false)];
  // By containers-registries.conf(5), insecure allows any certificate and plain HTTP; on this machine that is spoken anyway.
  if (isLoopbackHost(new URL(`http://${place.host}`).hostname)) return [open({}, false)];
  return [open({ tls: INSECURE }, true), open({ plainHttp: true }, false)];
}

/** A mirror that answers like this is not asked again in this run. */
const GIVES_UP: readonly ErrorCode[] = [
  'REGISTRY_UNREACHABLE',
  'REGISTRY_RATE_LIMITED',
  'REGISTRY_ERROR',
  'REGISTRY_UNSAFE',
];

function readThrough(source: WritableSource, mirrors: readonly OpenMirror[], context: Context): WritableSource {
  const ask = async <T>(
    by: 'digest' | 'tag',
    question: (asked: WritableSource) => Promise<T | undefined>,
  ): Promise<T | undefined> => {
    for (const mirror of mirrors) {
      if (!(mirror.serves === 'all' || mirror.serves === `${by}-only`) || mirror.givenUp.has(mirror.key)) continue;
      try {
        const answer = await question(mirror.source);
        if (answer !== undefined) return answer;
      } catch (error) {
        passOver(error, mirror, context);
      }
    }
    return undefined;
  };
  return {
    ...source,
    resolve: async () => (await ask('tag', (asked) => asked.resolve())) ?? source.resolve(),
    readManifest: async (digest) =>
      (await ask('digest', (asked) => asked.readManifest(digest))) ?? source.readManifest(digest),
    readBlob: async (blob) => (await ask('digest', (asked) => asked.readBlob(blob))) ?? source.readBlob(blob),
    async listReferrers(subject, filter) {
      // Many mirrors do not mirror lists: an empty one is not yet "none".
      const found = await ask('digest', async (asked) => {
        const list = await asked.listReferrers(subject, filter);
        return list.length === 0 ? undefined : list;
      });
      return found ?? source.listReferrers(subject, filter);
    },
  };
}

/** Says why a mirror is passed over; rethrows what is no trouble of the mirror. */
function passOver(error: unknown, mirror: OpenMirror, context: Context): void {
  if (!isBoltsealError(error) || error.code === 'INTERRUPTED' || context.signal.aborted) throw error;
  if (GIVES_UP.includes(error.code)) mirror.givenUp.add(mirror.key);
  const isQuiet = mirror.isTrial || error.code === 'NOT_FOUND';
  const message = `a mirror is passed over: ${error.message}`;
  context.emit({ kind: isQuiet ? 'detail' : 'warning', message });
}
