import { Serialize, type Models } from '@cyclonedx/cyclonedx-library';
import { ComposedBom, EvidencedComponent } from './models.ts';

type Options = Parameters<Serialize.JSON.Normalize.BomNormalizer['normalize']>[1];
type NormalizedBom = ReturnType<Serialize.JSON.Normalize.BomNormalizer['normalize']>;
type NormalizedComponent = ReturnType<Serialize.JSON.Normalize.ComponentNormalizer['normalize']>;

/** The library's JSON normalizers, taught what models.ts adds. */
export class ExtendedFactory extends Serialize.JSON.Normalize.Factory {
  override makeForBom(): ComposedBomNormalizer {
    return new ComposedBomNormalizer(this);
  }

  override makeForComponent(): EvidencedComponentNormalizer {
    return new EvidencedComponentNormalizer(this);
  }
}

class ComposedBomNormalizer extends Serialize.JSON.Normalize.BomNormalizer {
  override normalize(bom: Models.Bom, options: Options): NormalizedBom {
    const normalized = super.normalize(bom, options);
    if (!(bom instanceof ComposedBom) || bom.compositions.length === 0) return normalized;
    const extended: object = { ...normalized, compositions: bom.compositions };
    return extended as NormalizedBom;
  }
}

class EvidencedComponentNormalizer extends Serialize.JSON.Normalize.ComponentNormalizer {
  override normalize(component: Models.Component, options: Options): NormalizedComponent {
    const normalized = super.normalize(component, options);
    if (normalized === undefined || !(component instanceof EvidencedComponent)) return normalized;
    const { identity, occurrences } = component;
    if (identity.length === 0 && occurrences.length === 0) return normalized;
    const evidence = {
      ...normalized.evidence,
      ...(identity.length === 0 ? {} : { identity }),
      ...(occurrences.length === 0 ? {} : { occurrences }),
    };
    const extended: object = { ...normalized, evidence };
    return extended as NormalizedComponent;
  }
}
