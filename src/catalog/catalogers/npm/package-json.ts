import { parseJson } from '../../../base/json.ts';
import { LIMITS } from '../../../base/limits.ts';
import { asObject, asString, required, type JsonObject } from '../../../base/shape.ts';

/** What boltseal keeps of a package.json. */
export interface PackageJson {
  readonly kind: 'package';
  readonly name: string;
  readonly version: string;
  readonly licenses: readonly string[];
  readonly author?: string;
  readonly description?: string;
  readonly homepage?: string;
  /** Names it needs at run time; optional and peer ones, which may rightly be missing, are among them. */
  readonly needs: readonly string[];
}

/**
 * Reads the package.json at a package's root. One without a name or version is a helper that steers module resolution, and of
 * no concern.
 *
 * @throws BoltsealError JSON_INVALID, LIMIT_EXCEEDED
 * @throws ShapeError
 */
export function parsePackageJson(bytes: Uint8Array): PackageJson | undefined {
  const what = 'the package.json';
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\u{feff}/u, '');
  const object = asObject(parseJson(text, { what, maxBytes: LIMITS.packageManifestBytes }), what);
  if (object['name'] === undefined || object['version'] === undefined) return undefined;
  return {
    kind: 'package',
    name: required(object, 'name', asString),
    version: required(object, 'version', asString),
    licenses: licensesOf(object),
    ...entry('author', personOf(object['author'])),
    ...entry('description', stringOf(object['description'])),
    ...entry('homepage', stringOf(object['homepage'])),
    needs: ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap((field) => keysOf(object[field])),
  };
}

/** `license` as a string or the old `{type}`, or the older list `licenses`. */
function licensesOf(object: JsonObject): readonly string[] {
  const written = object['license'] ?? object['licenses'];
  return (Array.isArray(written) ? written : [written])
    .map((each) => stringOf(each) ?? stringOf(propertyOf(each, 'type')))
    .filter((license) => license !== undefined);
}

/** `Name <mail> (url)`, or an object of these. */
function personOf(value: unknown): string | undefined {
  const name = stringOf(propertyOf(value, 'name'));
  const email = stringOf(propertyOf(value, 'email'));
  return stringOf(value) ?? (name === undefined ? email : email === undefined ? name : `${name} <${email}>`);
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as JsonObject)[key]
    : undefined;
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function entry<Name extends string>(name: Name, value: string | undefined): { readonly [N in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: string };
}
