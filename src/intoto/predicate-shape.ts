import { asArray, asObject, asString, required, ShapeError, type JsonObject } from '../base/shape.ts';

/** What makes a predicate of a type: by which it is known, and what it must have. */
interface PredicateShape {
  /** The short name. */
  readonly name: string;
  /** URI. */
  readonly type: string;
  readonly isLike: (predicate: JsonObject) => boolean;
  /** Throws ShapeError for what no reader of the type could use. */
  readonly check: (predicate: JsonObject) => void;
}

/**
 * The short name of the type that a predicate must be of, going by what it contains; undefined when it could be anything.
 */
export function guessPredicateType(predicate: JsonObject): string | undefined {
  return SHAPES.find(({ isLike }) => isLike(predicate))?.name;
}

/**
 * Checks that a predicate has what its type requires, where that is certain. Types that are not known here hold anything.
 *
 * @throws ShapeError
 */
export function checkPredicateShape(type: string, predicate: JsonObject): void {
  SHAPES.find((shape) => shape.type === type)?.check(predicate);
}

const SHAPES: readonly PredicateShape[] = [
  {
    name: 'cyclonedx',
    type: 'https://cyclonedx.org/bom',
    isLike: ({ bomFormat }) => bomFormat === 'CycloneDX',
    check(predicate) {
      if (predicate['bomFormat'] !== 'CycloneDX') throw new ShapeError('bomFormat should be "CycloneDX"');
      required(predicate, 'specVersion', asString);
    },
  },
  {
    name: 'spdxjson',
    type: 'https://spdx.dev/Document',
    isLike: (predicate) => isSpdx2(predicate) || isSpdx3(predicate),
    check(predicate) {
      if (isSpdx3(predicate)) return void required(predicate, '@graph', asArray);
      if (!isSpdx2(predicate)) throw new ShapeError('spdxVersion should be "SPDX-2.2" or "SPDX-2.3"');
      if (predicate['SPDXID'] !== 'SPDXRef-DOCUMENT') throw new ShapeError('SPDXID should be "SPDXRef-DOCUMENT"');
      required(predicate, 'name', asString);
    },
  },
  {
    name: 'slsaprovenance1',
    type: 'https://slsa.dev/provenance/v1',
    isLike: (predicate) => 'buildDefinition' in predicate && 'runDetails' in predicate,
    check(predicate) {
      const definition = required(predicate, 'buildDefinition', asObject);
      required(definition, 'buildType', asString, 'buildDefinition');
      required(definition, 'externalParameters', asObject, 'buildDefinition');
      const builder = required(required(predicate, 'runDetails', asObject), 'builder', asObject, 'runDetails');
      required(builder, 'id', asString, 'runDetails.builder');
    },
  },
  {
    name: 'slsaprovenance02',
    type: 'https://slsa.dev/provenance/v0.2',
    isLike: (predicate) => 'builder' in predicate && 'buildType' in predicate,
    check(predicate) {
      required(required(predicate, 'builder', asObject), 'id', asString, 'builder');
      required(predicate, 'buildType', asString);
    },
  },
  {
    name: 'openvex',
    type: 'https://openvex.dev/ns',
    isLike: isOpenVex,
    check(predicate) {
      if (!isOpenVex(predicate)) throw new ShapeError('@context should be https://openvex.dev/ns and a version');
      for (const [at, statement] of required(predicate, 'statements', asArray).entries()) {
        const where = `statements[${at}]`;
        const status = required(asObject(statement, where), 'status', asString, where);
        if (!VEX_STATUSES.has(status)) throw new ShapeError(`${where}.status is "${status.slice(0, 30)}"`);
      }
    },
  },
  {
    name: 'vuln',
    type: 'https://cosign.sigstore.dev/attestation/vuln/v1',
    isLike: (predicate) => ['invocation', 'scanner', 'metadata'].every((name) => name in predicate),
    check(predicate) {
      required(predicate, 'invocation', asObject);
      required(required(predicate, 'scanner', asObject), 'uri', asString, 'scanner');
      const metadata = required(predicate, 'metadata', asObject);
      required(metadata, 'scanStartedOn', asString, 'metadata');
      required(metadata, 'scanFinishedOn', asString, 'metadata');
    },
  },
];

/** OpenVEX 0.2.0, "Status Labels". */
const VEX_STATUSES: ReadonlySet<string> = new Set(['not_affected', 'affected', 'fixed', 'under_investigation']);

function isSpdx2({ spdxVersion }: JsonObject): boolean {
  return typeof spdxVersion === 'string' && spdxVersion.startsWith('SPDX-2.');
}

function isSpdx3({ '@context': context }: JsonObject): boolean {
  return typeof context === 'string' && context.startsWith('https://spdx.org/rdf/3.');
}

function isOpenVex({ '@context': context }: JsonObject): boolean {
  return typeof context === 'string' && /^https:\/\/openvex\.dev\/ns(\/|$)/.test(context);
}
