import { Serialize, type Models } from '@cyclonedx/cyclonedx-library';
import { ComposedBom, EvidencedComponent } from './models.ts';

const { Factory, BomNormalizer, ComponentNormalizer } = Serialize.JSON.Normalize;

type Options = Parameters<InstanceType<typeof BomNormalizer>['normalize']>[1];
type NormalizedBom = ReturnType<InstanceType<typeof BomNormalizer>['normalize']>;
type NormalizedComponent = ReturnType<InstanceType<typeof ComponentNormalizer>['normalize']>;

/** The library's JSON normalizers, taught what models.ts adds. */
export class ExtendedFactory extends Factory {
  override makeForBom(): ComposedBomNormalizer {
    return new ComposedBomNormalizer(this);
  }

  override makeForComponent(): EvidencedComponentNormalizer {
    return new EvidencedComponentNormalizer(this);
  }
}

class ComposedBomNormalizer extends BomNormalizer {
  override normalize(bom: Models.Bom, options: Options): NormalizedBom {
    const normalized = super.normalize(bom, options);
    if (!(bom instanceof ComposedBom) || bom.compositions.length === 0) return normalized;
    const extended: object = { ...normalized, compositions: bom.compositions };
    return extended as NormalizedBom;
  }
}

class EvidencedComponentNormalizer extends ComponentNormalizer {
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
