import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import type {
  ServiceSelection,
  SigningConfig,
  SigningService,
  SigningServices,
  WitnessServices,
} from './signing-config.ts';

interface ChoiceOptions {
  /** Only logs of this API version. By default the highest version that a log offers. */
  readonly rekorVersion?: 1 | 2;
}

const FULCIO_VERSIONS: readonly number[] = [1];
const REKOR_VERSIONS: readonly number[] = [1, 2];
const ISSUER_VERSIONS: readonly number[] = [1];
const TIMESTAMP_VERSIONS: readonly number[] = [1];

/**
 * Chooses the services to sign at: of each operator's services that are valid now and speak a version we speak, the one
 * of the highest version, and of those the one that started last (protobuf-specs 0.5, SigningConfig).
 *
 * Stands for bundleBuilderFromSigningConfig of @sigstore/sign 5.1, which takes the newest start even when it is in the
 * future, whatever its version, and knows the selector ANY only.
 *
 * @throws BoltsealError SIGNING_CONFIG_INVALID
 */
export function chooseServices(config: SigningConfig, options: ChoiceOptions, context: Context): SigningServices {
  const usable = { versions: FULCIO_VERSIONS, now: context.now() };
  const [fulcio] = select('certificate authority', config.fulcio, { kind: 'any' }, usable);
  const witnesses = chooseWitnesses(config, options, context);
  if (fulcio === undefined) throw unusable('it names no certificate authority');
  const { rekor, timestampAuthorities } = witnesses;
  if (timestampAuthorities.length === 0 && rekor.every(({ majorApiVersion }) => majorApiVersion !== 1))
    throw unusable('nothing in it proves the time of signing: Rekor v2 needs a timestamp authority beside it');
  return { fulcio, ...witnesses };
}

/**
 * Chooses as `chooseServices` does, for a key that needs no certificate authority.
 *
 * @throws BoltsealError SIGNING_CONFIG_INVALID
 */
export function chooseWitnesses(config: SigningConfig, options: ChoiceOptions, context: Context): WitnessServices {
  const now = context.now();
  const rekorVersions = options.rekorVersion === undefined ? REKOR_VERSIONS : [options.rekorVersion];
  return {
    rekor: select('transparency log', config.rekor, config.rekorSelection, { versions: rekorVersions, now }),
    timestampAuthorities: select('timestamp authority', config.timestampAuthorities, config.timestampSelection, {
      versions: TIMESTAMP_VERSIONS,
      now,
    }),
  };
}

/** The issuer to sign in at: the newest that is valid now. Undefined when there is none, since a token may be had otherwise. */
export function chooseIssuer({ issuers }: SigningConfig, context: Context): string | undefined {
  const usable = { versions: ISSUER_VERSIONS, now: context.now() };
  return issuers.filter((service) => isUsable(service, usable)).toSorted(byPreference)[0]?.url;
}

interface Usable {
  readonly versions: readonly number[];
  readonly now: Date;
}

function select(
  what: string,
  services: readonly SigningService[],
  selection: ServiceSelection,
  usable: Usable,
): readonly SigningService[] {
  if (services.length === 0) return [];
  const ranked = services.filter((service) => isUsable(service, usable)).toSorted(byPreference);
  const ofEachOperator = ranked.filter(
    ({ operator }, at) => ranked.findIndex((other) => other.operator === operator) === at,
  );
  if (ofEachOperator.length === 0) throw unusable(`no ${what} in it is valid now and of a version boltseal speaks`);
  if (selection.kind === 'all') return ofEachOperator;
  const count = selection.kind === 'exact' ? selection.count : 1;
  if (ofEachOperator.length < count)
    throw unusable(`it asks for ${count} operators of a ${what}, but ${ofEachOperator.length} can be used`);
  return ofEachOperator.slice(0, count);
}

function isUsable({ majorApiVersion, validFor: { start, end } }: SigningService, { versions, now }: Usable): boolean {
  return versions.includes(majorApiVersion) && start <= now && (end === undefined || now <= end);
}

function byPreference(a: SigningService, b: SigningService): number {
  return b.majorApiVersion - a.majorApiVersion || b.validFor.start.getTime() - a.validFor.start.getTime();
}

function unusable(message: string): BoltsealError {
  return new BoltsealError('SIGNING_CONFIG_INVALID', `the signing configuration cannot be used: ${message}`, {
    hint: 'Get a current signing configuration from whoever runs the Sigstore instance, or leave it out to use the public one.',
  });
}
