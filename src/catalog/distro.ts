import type { LayerRef } from './package.ts';

/** What os-release(5) says of the operating system. */
export interface Distro {
  /** `ID`, lower case: debian, alpine. The man page's default is "linux". */
  readonly id: string;
  readonly idLike: readonly string[];
  readonly versionId?: string;
  readonly codename?: string;
  readonly buildId?: string;
  readonly prettyName?: string;
  readonly cpe?: string;
  readonly homepage?: string;
  readonly path: string;
  readonly layer: LayerRef;
}

/** The value of a purl's `distro` qualifier: `debian-12`, and the codename or build where there is no version. */
export function distroQualifier(distro: Distro): string {
  const version = distro.versionId ?? distro.codename ?? distro.buildId;
  return version === undefined ? distro.id : `${distro.id}-${version}`;
}
