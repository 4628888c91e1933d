import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import type { Context } from '../../base/context.ts';
import type { Inventory } from '../../catalog/inventory.ts';
import { digestOf } from '../../oci/digest.ts';
import { dependencyGraph, ROOT } from '../dependency-graph.ts';
import { PROPERTIES } from '../properties.ts';
import { isImageSubject, subjectPurl, type DocumentSubject } from '../subject.ts';
import { documentTime } from '../timestamp.ts';
import { uuidOf } from '../uuid.ts';
import { packageComponent, properties, subjectComponent, systemComponent } from './components.ts';
import { ComposedBom, type Composition } from './models.ts';
import { ExtendedFactory } from './normalizers.ts';

export interface CycloneDxOptions {
  /** What made the document. */
  readonly tool: { readonly name: string; readonly version: string };
}

/**
 * Writes an inventory as a CycloneDX 1.6 JSON document (ECMA-424, first edition). The same inventory, subject, options and
 * SOURCE_DATE_EPOCH give the same bytes, whatever the clock, locale and time zone: the serial number is made of them, the time is
 * SOURCE_DATE_EPOCH, else the image's own, else absent. Every unknown of the inventory is in it, as a property.
 *
 * @throws BoltsealError USAGE for a malformed SOURCE_DATE_EPOCH
 */
export function renderCycloneDx(
  inventory: Inventory,
  subject: DocumentSubject,
  options: CycloneDxOptions,
  context: Context,
): Uint8Array {
  const timestamp = documentTime(isImageSubject(subject) ? subject.config : {}, context);
  const bom = new ComposedBom({
    serialNumber: serialNumber({ subject, inventory }, options, timestamp),
    version: 1,
    metadata: metadataOf(inventory, subject, { options, timestamp }),
    components: new Models.ComponentRepository([
      ...(inventory.distro === undefined ? [] : [systemComponent(inventory.distro)]),
      ...inventory.packages.map(packageComponent),
    ]),
  });
  connect(bom, inventory);
  bom.compositions = compositionsOf(inventory);
  const serializer = new Serialize.JsonSerializer(new ExtendedFactory(Spec.Spec1dot6));
  return new TextEncoder().encode(`${serializer.serialize(bom, { sortLists: false, space: 0 })}\n`);
}

interface Content {
  readonly subject: DocumentSubject;
  readonly inventory: Inventory;
}

/** The purl has the manifest's digest in it, and the name the image was asked for by. A folder is known by what is in it. */
function serialNumber(
  { subject, inventory }: Content,
  { tool }: CycloneDxOptions,
  timestamp: Date | undefined,
): string {
  const about = isImageSubject(subject)
    ? subjectPurl(subject)
    : `${subject.reference.path}\0${digestOf(JSON.stringify(inventory))}`;
  const parts = ['CycloneDX 1.6', about, tool.name, tool.version, timestamp?.toISOString()];
  return `urn:uuid:${uuidOf(parts)}`;
}

interface Making {
  readonly options: CycloneDxOptions;
  readonly timestamp: Date | undefined;
}

function metadataOf(inventory: Inventory, subject: DocumentSubject, { options, timestamp }: Making): Models.Metadata {
  const { name, version } = options.tool;
  const tool = new Models.Component(Enums.ComponentType.Application, name, { version, bomRef: `tool:${name}` });
  return new Models.Metadata({
    ...(timestamp === undefined ? {} : { timestamp }),
    lifecycles: new Models.LifecycleRepository([Enums.LifecyclePhase.PostBuild]),
    tools: new Models.Tools({ components: new Models.ComponentRepository([tool]) }),
    component: subjectComponent(subject),
    properties: properties([
      ...inventory.catalogers.map((each) => [PROPERTIES.cataloger, `${each.name} ${each.version}`] as const),
      ...inventory.unknowns.map(
        ({ path, layer, cataloger, reason }) =>
          [PROPERTIES.unknown, JSON.stringify({ path: `/${path}`, layer: layer?.diffId, cataloger, reason })] as const,
      ),
    ]),
  });
}

/** Puts the edges into the library's models, which name a node by its reference. */
function connect(bom: ComposedBom, inventory: Inventory): void {
  const root = bom.metadata.component;
  const components = [...(root === undefined ? [] : [root]), ...bom.components];
  const byRef = new Map(components.map((component) => [component.bomRef.value, component]));
  for (const [from, targets] of dependencyGraph(inventory))
    for (const to of targets) {
      const target = byRef.get(to);
      if (target !== undefined) byRef.get(from)?.dependencies.add(target.bomRef);
    }
}

/** Which parts of the graph are whole. That the image holds files no package manager put there is said of its assembly. */
function compositionsOf({ packages, completeTypes }: Inventory): readonly Composition[] {
  const isComplete = new Set(completeTypes);
  const refs = (complete: boolean): readonly string[] =>
    packages.filter(({ type }) => isComplete.has(type) === complete).map(({ purl }) => purl);
  const [complete, incomplete] = [refs(true), refs(false)];
  return [
    { aggregate: 'incomplete', assemblies: [ROOT] },
    ...(complete.length === 0 ? [] : [{ aggregate: 'complete', dependencies: complete } as const]),
    ...(incomplete.length === 0 ? [] : [{ aggregate: 'incomplete', dependencies: incomplete } as const]),
  ];
}
