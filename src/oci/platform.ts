import { BoltsealError } from '../base/errors.ts';
import { asArray, asObject, asString, optional, required } from '../base/shape.ts';

/** image-spec 1.1.1, image-index.md: the `platform` of a descriptor. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

/** `os/arch[/variant][:os.version]`, the form of oras and crane. @throws BoltsealError REFERENCE_INVALID */
export function parsePlatform(text: string): Platform {
  const [, os, architecture, variant, version] =
    /^([\w.-]+)\/([\w.-]+)(?:\/([\w.-]+))?(?::([\w.-]+))?$/.exec(text) ?? [];
  if (os === undefined || architecture === undefined) {
    throw new BoltsealError('REFERENCE_INVALID', `"${text}" is not a platform`, {
      hint: 'Write it as os/arch or os/arch/variant: linux/arm64, linux/arm/v7.',
    });
  }
  return normalise({
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
  });
}

export function formatPlatform(platform: Platform): string {
  const version = platform['os.version'];
  return (
    [platform.os, platform.architecture, ...(platform.variant === undefined ? [] : [platform.variant])].join('/') +
    (version === undefined ? '' : `:${version}`)
  );
}

/** Whether a platform on offer is what was asked for. What the question leaves open matches anything. */
export function matchesPlatform(wanted: Platform, offered: Platform): boolean {
  const found = normalise(offered);
  return (
    wanted.os === found.os &&
    wanted.architecture === found.architecture &&
    (wanted.variant === undefined || wanted.variant === found.variant) &&
    (wanted['os.version'] === undefined || wanted['os.version'] === found['os.version'])
  );
}

/** @throws ShapeError */
export function readPlatform(value: unknown, where: string): Platform {
  const object = asObject(value, where);
  const variant = optional(object, 'variant', asString, where);
  const version = optional(object, 'os.version', asString, where);
  const features = optional(object, 'os.features', asArray, where)?.map((feature) =>
    asString(feature, `${where}.os.features`),
  );
  return {
    os: required(object, 'os', asString, where),
    architecture: required(object, 'architecture', asString, where),
    ...(variant === undefined || variant === '' ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': features }),
  };
}

const ARCHITECTURE_ALIASES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
};

/** arm64 has one variant in practice; leaving it out and writing it mean the same. */
function normalise(platform: Platform): Platform {
  const architecture = ARCHITECTURE_ALIASES[platform.architecture] ?? platform.architecture;
  const { variant, ...rest } = platform;
  const kept = variant !== undefined && !(architecture === 'arm64' && variant === 'v8');
  return { ...rest, architecture, ...(kept ? { variant } : {}) };
}
