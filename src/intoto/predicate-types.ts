/** What cosign wraps any text in, with the time. */
export const COSIGN_CUSTOM_PREDICATE_TYPE = 'https://cosign.sigstore.dev/attestation/v1';

/** Short names and the URIs they stand for: the same as cosign's, so that a pipeline can be moved over as it is. */
const URI_BY_ALIAS: Readonly<Record<string, string>> = {
  custom: COSIGN_CUSTOM_PREDICATE_TYPE,
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  link: 'https://in-toto.io/Link/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
};

/** The predicate of an image signature as cosign v3 makes it: it says only "I signed this". */
export const COSIGN_SIGN_PREDICATE_TYPE = 'https://sigstore.dev/cosign/sign/v1';
export const CYCLONEDX_PREDICATE_TYPE = 'https://cyclonedx.org/bom';

export const PREDICATE_ALIASES: readonly string[] = Object.keys(URI_BY_ALIAS);

/** The URI of a short name; a URI is returned as it is; anything else is undefined. */
export function predicateTypeUri(nameOrUri: string): string | undefined {
  if (Object.hasOwn(URI_BY_ALIAS, nameOrUri)) return URI_BY_ALIAS[nameOrUri];
  return /^[a-z][a-z0-9+.-]*:\S+$/i.test(nameOrUri) ? nameOrUri : undefined;
}

/** The name people use for a predicate type, or the URI when there is none. */
export function predicateTypeName(uri: string): string {
  if (uri === COSIGN_SIGN_PREDICATE_TYPE) return 'signature';
  const aliases = PREDICATE_ALIASES.filter((alias) => URI_BY_ALIAS[alias] === uri);
  return aliases.at(-1) ?? uri;
}
