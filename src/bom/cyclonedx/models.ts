import { Models } from '@cyclonedx/cyclonedx-library';

/** CycloneDX 1.6, `evidence.identity`: how a field of a component is known. Confidence is from 0 to 1. */
export interface IdentityEvidence {
  readonly field: 'purl' | 'hash' | 'name';
  readonly confidence: number;
  readonly concludedValue?: string;
  readonly methods: readonly { readonly technique: string; readonly confidence: number; readonly value: string }[];
}

/** CycloneDX 1.6, `evidence.occurrences`. */
export interface Occurrence {
  readonly location: string;
  readonly additionalContext?: string;
}

/** CycloneDX 1.6, `compositions`. */
export interface Composition {
  readonly aggregate: 'complete' | 'incomplete' | 'unknown';
  readonly assemblies?: readonly string[];
  readonly dependencies?: readonly string[];
}

/** The library's component, with the evidence its model has no place for. */
export class EvidencedComponent extends Models.Component {
  identity: readonly IdentityEvidence[] = [];
  occurrences: readonly Occurrence[] = [];
}

/** The library's document, with the compositions its model has no place for. */
export class ComposedBom extends Models.Bom {
  compositions: readonly Composition[] = [];
}
