/** What boltseal understands of somebody's SBOM. Nothing in it has been checked against an image. */
export interface BomDocument {
  readonly format: 'cyclonedx';
  readonly specVersion: string;
  readonly serialNumber?: string;
  readonly timestamp?: string;
  /** What the document is about. */
  readonly subject?: BomComponent;
  /** Nested components are in the list too, each after the one that holds it. */
  readonly components: readonly BomComponent[];
  /** What boltseal wrote of what it could not read; others' documents do not say, and have none. */
  readonly unknownCount: number;
}

export interface BomComponent {
  readonly type: string;
  readonly name: string;
  readonly group?: string;
  readonly version?: string;
  readonly purl?: string;
  readonly cpe?: string;
  readonly bomRef?: string;
  /** Identifiers, names and expressions, as written. */
  readonly licenses: readonly string[];
  readonly hashes: readonly { readonly algorithm: string; readonly hex: string }[];
  readonly properties: Readonly<Record<string, readonly string[]>>;
}
