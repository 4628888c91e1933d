import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError } from '../../base/errors.ts';
import type { AmbientProvider } from './provider.ts';
import { AMBIENT_PROVIDERS } from './providers.ts';

interface AmbientOptions {
  readonly audience: string;
  /** The `name` of the only provider to ask; by default the first that is present. */
  readonly provider?: string;
  /** Most preferred first. */
  readonly providers?: readonly AmbientProvider[];
}

/** A token that was not looked at yet, and where it is from, for people. */
export interface FoundToken {
  readonly text: string;
  readonly origin: string;
}

/**
 * Gets a token from the surroundings. The first provider that is present is asked, and when it fails that is the answer:
 * another one would sign as somebody else. Undefined when none is present.
 *
 * @throws BoltsealError USAGE for a name that no provider has, and what the provider throws
 */
export async function findAmbientToken(options: AmbientOptions, context: Context): Promise<FoundToken | undefined> {
  const { audience, provider: name, providers = AMBIENT_PROVIDERS } = options;
  if (name !== undefined) {
    const chosen = chooseProvider(name, providers);
    return { text: await chosen.fetch(audience, context), origin: chosen.title };
  }
  for (const provider of providers) {
    if (await provider.isPresent(context)) {
      warnOfPassedOver(provider, { audience, providers }, context);
      return { text: await fetchDetected(provider, audience, context), origin: provider.title };
    }
    context.emit({ kind: 'detail', message: `no identity token from ${provider.title}` });
  }
  return undefined;
}

/** What to change where the run is visibly in a provider's surroundings, but is offered no token. */
export function adviceFor(audience: string, context: Context): readonly string[] {
  return AMBIENT_PROVIDERS.flatMap((provider) => provider.advice?.(audience, context) ?? []);
}

function chooseProvider(name: string, providers: readonly AmbientProvider[]): AmbientProvider {
  const chosen = providers.find((provider) => provider.name === name);
  if (chosen !== undefined) return chosen;
  throw new BoltsealError('USAGE', `there is no identity provider called ${JSON.stringify(name)}`, {
    hint: `Choose one of ${providers.map((provider) => provider.name).join(', ')}.`,
  });
}

/** A CI job that forgot to ask for its token would otherwise sign as the machine it happens to run on, unnoticed. */
function warnOfPassedOver(
  used: AmbientProvider,
  { audience, providers }: Required<Pick<AmbientOptions, 'audience' | 'providers'>>,
  context: Context,
): void {
  for (const provider of providers.slice(0, providers.indexOf(used))) {
    const advice = PUT_THERE.includes(used.name) ? undefined : provider.advice?.(audience, context);
    if (advice !== undefined)
      context.emit({
        kind: 'warning',
        message: `${provider.title} offers this run no identity token, so ${used.title} is asked. ${advice}`,
      });
  }
}

/** Providers whose token somebody put there for this run. */
const PUT_THERE: readonly string[] = ['envvar', 'filesystem'];

async function fetchDetected(provider: AmbientProvider, audience: string, context: Context): Promise<string> {
  try {
    return await provider.fetch(audience, context);
  } catch (error) {
    if (!isBoltsealError(error) || error.code === 'INTERRUPTED') throw error;
    throw new BoltsealError(error.code, error.message, { hint: `${error.hint} ${OTHERWISE}`, cause: error.cause });
  }
}

const OTHERWISE =
  'To sign as somebody else, choose with --oidc-provider or turn detection off with --oidc-disable-ambient-providers.';
