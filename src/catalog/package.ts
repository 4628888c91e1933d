import type { Digest } from '../oci/digest.ts';

/** The purl types boltseal catalogs. */
export type PackageType = 'apk' | 'deb' | 'golang' | 'npm' | 'pypi';

/** A layer, as findings name it. */
export interface LayerRef {
  /** 0 is the lowest. */
  readonly index: number;
  /** Absent for a folder on disk, which is read as if it were one layer. */
  readonly diffId?: Digest;
}

/** A file that shows that a package is there, and how sure that makes us. */
export interface Evidence {
  readonly path: string;
  /** The layer that brought this package, at this version, to this path. */
  readonly layer: LayerRef;
}

/** How the cataloger learned of the package: terms of CycloneDX 1.6, `evidence.identity.methods.technique`. */
export type Technique = 'manifest-analysis' | 'binary-analysis';

export interface HashValue {
  readonly algorithm: 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
  /** Lower-case hex. */
  readonly hex: string;
}

/**
 * One package at one version, however many files show it. `purl` is its identity within an inventory. Everything an
 * output format needs is here: no format asks which ecosystem it is looking at. The image's maker controls all of it.
 */
export interface Package {
  readonly type: PackageType;
  /** Whether the operating system's package manager installed it, or it came with an application. */
  readonly kind: 'os' | 'language';
  /** Without the namespace. */
  readonly name: string;
  /** Distribution, npm scope, or Go module path without its last part. */
  readonly namespace?: string;
  /** Absent when the image does not say. */
  readonly version?: string;
  readonly purl: string;
  readonly architecture?: string;
  readonly source?: { readonly name: string; readonly version?: string };
  /** As the package declares them, each a licence name, an identifier or an expression. */
  readonly licenses: readonly string[];
  /** Whoever maintains or publishes it, as the package says. */
  readonly supplier?: string;
  readonly description?: string;
  readonly homepage?: string;
  /** Where it was downloaded from, when that is known, and the digests of that download. */
  readonly distribution?: { readonly url?: string; readonly hashes: readonly HashValue[] };
  /** Checksums that are not plain file digests, by scheme: `go.sum` h1, apk's pull checksum. */
  readonly checksums?: readonly { readonly scheme: string; readonly value: string }[];
  /** At least one, in path order. */
  readonly evidence: readonly Evidence[];
  readonly technique: Technique;
  /** The earliest of the evidence's layers. */
  readonly layer: LayerRef;
  /** The purl of the operating-system package that installed these files, when one did. */
  readonly ownedBy?: string;
  readonly cataloger: string;
}

/** `from` needs `to` at run time; both are purls of packages in the same findings. */
export interface Relation {
  readonly kind: 'dependsOn';
  readonly from: string;
  readonly to: string;
}

/** Something that was there to be read and could not be: reported, never dropped. */
export interface Unknown {
  readonly path: string;
  readonly layer?: LayerRef;
  readonly cataloger: string;
  readonly reason: string;
}

/** What one cataloger says of an image. */
export interface Findings {
  readonly packages: readonly Package[];
  readonly relations: readonly Relation[];
  readonly unknowns: readonly Unknown[];
  /** Whether `relations` is the whole graph, or packages exist whose dependencies the image does not tell. */
  readonly relationsComplete: boolean;
  /** Which package installed a path, for catalogers that know: paths are real ones, symlinks resolved. */
  readonly owners?: ReadonlyMap<string, string>;
}
