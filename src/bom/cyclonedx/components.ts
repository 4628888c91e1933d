import { Enums, Models, Types } from '@cyclonedx/cyclonedx-library';
import type { Distro } from '../../catalog/distro.ts';
import type { Evidence, Package } from '../../catalog/package.ts';
import { algorithmOf, encodedOf } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { ROOT, SYSTEM } from '../dependency-graph.ts';
import { PROPERTIES } from '../properties.ts';
import { isImageSubject, subjectName, subjectPurl, type DocumentSubject, type ImageSubject } from '../subject.ts';
import { parseSupplier } from '../supplier.ts';
import { declaredLicenses } from './licenses.ts';
import { EvidencedComponent, type Occurrence } from './models.ts';

/** What the document is about, `metadata.component`: an image, or a folder under the name it was asked for by. */
export function subjectComponent(subject: DocumentSubject): Models.Component {
  if (isImageSubject(subject)) return imageComponent(subject);
  return new Models.Component(Enums.ComponentType.File, subject.reference.path, { bomRef: ROOT });
}

function imageComponent(subject: ImageSubject): Models.Component {
  const { digest, reference } = subject;
  const algorithm = algorithmOf(digest) === 'sha256' ? Enums.HashAlgorithm['SHA-256'] : Enums.HashAlgorithm['SHA-512'];
  return new Models.Component(Enums.ComponentType.Container, subjectName(subject), {
    bomRef: ROOT,
    version: 'tag' in reference && reference.tag !== undefined ? reference.tag : digest,
    purl: subjectPurl(subject),
    hashes: new Models.HashDictionary([[algorithm, encodedOf(digest)]]),
    properties: properties(imageProperties(subject)),
  });
}

function imageProperties({ digest, indexDigest, manifest, config }: ImageSubject): readonly PropertyPair[] {
  return [
    [PROPERTIES.manifestDigest, digest],
    [PROPERTIES.indexDigest, indexDigest],
    [PROPERTIES.configDigest, manifest.config.digest],
    [PROPERTIES.platform, formatPlatform(config.platform)],
    ...config.diffIds.map((diffId, index): PropertyPair => [PROPERTIES.layerDiffId, `${index} ${diffId}`]),
    ...manifest.layers.map((layer, index): PropertyPair => [PROPERTIES.layerDigest, `${index} ${layer.digest}`]),
    ...Object.keys(config.labels)
      .toSorted()
      .map((name): PropertyPair => [PROPERTIES.label + name, config.labels[name]]),
  ];
}

export function systemComponent(distro: Distro): Models.Component {
  const component = new EvidencedComponent(Enums.ComponentType.OperatingSystem, distro.id, {
    bomRef: SYSTEM,
    ...(distro.versionId === undefined ? {} : { version: distro.versionId }),
    ...(distro.prettyName === undefined ? {} : { description: distro.prettyName }),
    ...cpeOf(distro.cpe),
    externalReferences: website(distro.homepage),
  });
  component.occurrences = [occurrence(distro)];
  return component;
}

export function packageComponent(found: Package): Models.Component {
  const component = new EvidencedComponent(Enums.ComponentType.Library, found.name, {
    bomRef: found.purl,
    purl: found.purl,
    ...(found.namespace === undefined || found.kind === 'os' ? {} : { group: found.namespace }),
    ...(found.version === undefined ? {} : { version: found.version }),
    ...(found.description === undefined ? {} : { description: found.description }),
    ...suppliedBy(found.supplier),
    hashes: hashesOf(found.distribution),
    licenses: new Models.LicenseRepository(declaredLicenses(found.licenses)),
    externalReferences: new Models.ExternalReferenceRepository([...website(found.homepage), ...download(found)]),
    properties: properties(packageProperties(found)),
  });
  component.identity = [
    {
      field: 'purl',
      confidence: 1,
      concludedValue: found.purl,
      methods: found.evidence.map(({ path }) => ({ technique: found.technique, confidence: 1, value: `/${path}` })),
    },
  ];
  component.occurrences = found.evidence.map(occurrence);
  return component;
}

function occurrence({ path, layer }: Evidence): Occurrence {
  return { location: `/${path}`, ...(layer.diffId === undefined ? {} : { additionalContext: layer.diffId }) };
}

function packageProperties({
  type,
  layer,
  source,
  architecture,
  ownedBy,
  checksums = [],
}: Package): readonly PropertyPair[] {
  return [
    [PROPERTIES.packageType, type],
    [PROPERTIES.layerIndex, layer.diffId === undefined ? undefined : String(layer.index)],
    [PROPERTIES.layerDiffIdOfPackage, layer.diffId],
    [PROPERTIES.architecture, architecture],
    [PROPERTIES.sourceName, source?.name],
    [PROPERTIES.sourceVersion, source?.version],
    [PROPERTIES.ownedBy, ownedBy],
    ...checksums.map(({ scheme, value }): PropertyPair => [PROPERTIES.checksum + scheme, value]),
  ];
}

type PropertyPair = readonly [name: string, value: string | undefined];

/** Pairs without a value are left out; the order stays. */
export function properties(pairs: readonly PropertyPair[]): Models.PropertyRepository {
  return new Models.PropertyRepository(
    pairs.flatMap(([name, value]) => (value === undefined ? [] : [new Models.Property(name, value)])),
  );
}

/** Longer ones are no CPE, and the library's check of one takes its time. */
const LONGEST_CPE = 500;

function cpeOf(cpe: string | undefined): { readonly cpe?: string } {
  return cpe !== undefined && cpe.length <= LONGEST_CPE && Types.isCPE(cpe) ? { cpe } : {};
}

function suppliedBy(text: string | undefined): { publisher?: string; supplier?: Models.OrganizationalEntity } {
  if (text === undefined) return {};
  const { name, email } = parseSupplier(text);
  const contact =
    email === undefined ? [] : [new Models.OrganizationalContact({ ...(name === undefined ? {} : { name }), email })];
  const supplier = new Models.OrganizationalEntity({
    name: name ?? email ?? text,
    contact: new Models.OrganizationalContactRepository(contact),
  });
  return { publisher: text, supplier };
}

function website(homepage: string | undefined): Models.ExternalReferenceRepository {
  const url = webAddress(homepage);
  return new Models.ExternalReferenceRepository(
    url === undefined ? [] : [new Models.ExternalReference(url, Enums.ExternalReferenceType.Website)],
  );
}

function download({ distribution }: Package): readonly Models.ExternalReference[] {
  const url = webAddress(distribution?.url);
  const hashes = hashesOf(distribution);
  return url === undefined
    ? []
    : [new Models.ExternalReference(url, Enums.ExternalReferenceType.Distribution, { hashes })];
}

/** A package's own digests are those of the archive it came in. */
function hashesOf(distribution: Package['distribution']): Models.HashDictionary {
  return new Models.HashDictionary(
    (distribution?.hashes ?? []).map(({ algorithm, hex }) => [Enums.HashAlgorithm[algorithm], hex] as const),
  );
}

/** Only addresses of the web, spelt as the URL standard does, and without the credentials some registries put into them. */
function webAddress(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  url.username = '';
  url.password = '';
  return url.href;
}
