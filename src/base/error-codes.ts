/**
 * Every code an error can carry, with the exit code it leads to and what it means. The README's table is this one.
 *
 * Exit codes: 1 denied · 2 usage · 3 could not find out · 70 a bug in boltseal.
 */
export const ERROR_CODES = {
  // usage: what was asked cannot be done as written
  USAGE: { exit: 2, meaning: 'the command line is not understood' },
  REFERENCE_INVALID: { exit: 2, meaning: 'an image reference, digest or platform is malformed' },
  REFERENCE_AMBIGUOUS: {
    exit: 2,
    meaning: 'a layout or archive holds several images and the reference names none of them',
  },
  FILE_NOT_FOUND: { exit: 2, meaning: 'a file or folder named on the command line does not exist' },
  FILE_UNREADABLE: { exit: 3, meaning: 'a local file exists but cannot be read' },
  FILE_UNWRITABLE: { exit: 3, meaning: 'an output file cannot be written (permissions, full disk)' },
  NOT_WRITABLE: { exit: 2, meaning: 'this kind of reference cannot hold what should be attached' },
  PLATFORM_AMBIGUOUS: { exit: 2, meaning: 'the index holds several platforms and --platform did not choose one' },
  PLATFORM_NOT_FOUND: { exit: 2, meaning: 'the index holds no image for the platform asked for' },

  // registry and other sources
  REGISTRY_UNREACHABLE: { exit: 3, meaning: 'no connection to the registry (refused, DNS, TLS, timeout)' },
  REGISTRY_UNAUTHORIZED: { exit: 3, meaning: 'the registry refuses these credentials, or asks for some' },
  REGISTRY_DENIED: { exit: 3, meaning: 'the credentials are known, but may not do this' },
  REGISTRY_RATE_LIMITED: { exit: 3, meaning: 'the registry asks to slow down, and still did after retries' },
  REGISTRY_ERROR: { exit: 3, meaning: 'the registry answered with an error or against the protocol' },
  REGISTRY_UNSAFE: { exit: 3, meaning: 'the registry sent credentials or data somewhere they must not go' },
  REGISTRY_BLOCKED: { exit: 3, meaning: 'registries.conf of this machine blocks the registry' },
  REGISTRIES_CONF_INVALID: { exit: 3, meaning: 'a registries.conf is malformed, so whom it blocks is not known' },
  ENGINE_UNREACHABLE: { exit: 3, meaning: 'no Docker or Podman answers where one was looked for' },
  ENGINE_ERROR: { exit: 3, meaning: 'Docker or Podman answered with an error or against its protocol' },
  CREDENTIALS_INVALID: { exit: 3, meaning: 'the credential file or helper could not be read' },
  NOT_FOUND: { exit: 3, meaning: 'the image, manifest or blob is not there' },
  DIGEST_MISMATCH: { exit: 3, meaning: 'the bytes received are not the bytes the digest names' },
  SIZE_MISMATCH: { exit: 3, meaning: 'more or fewer bytes were received than the descriptor says' },
  LIMIT_EXCEEDED: { exit: 3, meaning: 'a remote input is larger, deeper or longer than the limit for it' },
  JSON_INVALID: { exit: 3, meaning: 'a document is not the strict JSON it should be' },
  MANIFEST_INVALID: { exit: 3, meaning: 'a manifest, index or image configuration is malformed' },
  MEDIA_TYPE_UNSUPPORTED: { exit: 3, meaning: 'the manifest is of a type that is not an image or index' },
  LAYOUT_INVALID: { exit: 3, meaning: 'the OCI layout or archive is malformed' },
  DELETE_REFUSED: { exit: 3, meaning: 'the registry does not delete manifests, or not this one' },
  COPY_INCOMPLETE: { exit: 3, meaning: 'after copying, something is not at the destination that should be' },
  PATH_UNSAFE: { exit: 3, meaning: 'an artifact names a file that would be written outside the folder, or twice' },
  REFERRERS_UPDATE_FAILED: { exit: 3, meaning: 'the list of referrers could not be updated' },

  // layers
  LAYER_INVALID: { exit: 3, meaning: 'a layer is truncated, corrupt or not a tar archive' },

  // documents
  BOM_INVALID: { exit: 3, meaning: 'an SBOM document is malformed or of an unknown form' },
  STATEMENT_INVALID: { exit: 3, meaning: 'an in-toto statement or predicate is malformed' },

  // signing
  TOKEN_MISSING: { exit: 2, meaning: 'no identity token was given and none is offered by the environment' },
  TOKEN_INVALID: {
    exit: 3,
    meaning: 'the identity token is malformed, expired or misaddressed, or its issuer gave none',
  },
  SIGNING_CONFIG_INVALID: { exit: 3, meaning: 'the signing configuration is malformed or names no usable service' },
  FULCIO_FAILED: { exit: 3, meaning: 'the certificate authority did not issue a certificate' },
  REKOR_FAILED: { exit: 3, meaning: 'the transparency log did not take the entry' },
  KEY_INVALID: { exit: 3, meaning: 'a key or certificate to sign with is malformed, unsupported or does not fit' },
  KEY_PASSWORD: { exit: 2, meaning: 'the password of a private key is missing or wrong' },
  KEY_SERVICE_FAILED: { exit: 3, meaning: 'the key service or plugin that holds the key did not sign' },
  TSA_FAILED: { exit: 3, meaning: 'the timestamp authority did not answer with a timestamp' },

  // trust and policy
  TUF_FAILED: {
    exit: 3,
    meaning: 'the TUF repository cannot be reached, or its metadata does not verify or has expired',
  },
  TUF_ROLLBACK: { exit: 3, meaning: 'the TUF repository offers an older state than was seen before' },
  TRUST_ROOT_INVALID: { exit: 3, meaning: 'the trusted root is malformed or incomplete' },
  POLICY_INVALID: {
    exit: 1,
    meaning: 'a policy is malformed or asks for something unknown: nothing it governs is allowed',
  },

  // sandbox
  SANDBOX_UNAVAILABLE: {
    exit: 2,
    meaning: 'the sandbox cannot start: a package it needs is not installed, or a port is taken',
  },

  // everything else
  INTERRUPTED: { exit: 3, meaning: 'the run was interrupted before it had an answer' },
  INTERNAL: { exit: 70, meaning: 'a bug in boltseal: please report it' },
} as const satisfies Record<string, { exit: 1 | 2 | 3 | 70; meaning: string }>;

/** The code of an error: stable, part of the public interface. */
export type ErrorCode = keyof typeof ERROR_CODES;
