import {
  count,
  listOf,
  maybe,
  name,
  namesTo,
  needed,
  oneOf,
  record,
  text,
  type Located,
  type Reader,
} from './reader.ts';

/** A policy as it is written: the shapes of the file, names not yet resolved, patterns not yet compiled. */
export interface WrittenPolicy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: Located<string> };
  readonly images: readonly Located<string>[];
  readonly exclude?: readonly Located<string>[];
  readonly signers?: readonly { readonly name: Located<string>; readonly value: WrittenSigner }[];
  readonly require: readonly WrittenRequirement[];
  readonly mode?: 'enforce' | 'warn';
}

/** Exactly one of the fields is there. */
export interface WrittenSigner {
  readonly keyless?: WrittenKeyless;
  readonly github?: WrittenGithub;
  readonly key?: Located<string>;
}

/** Exactly one of the three identities is there. */
export interface WrittenKeyless {
  readonly issuer: Located<string>;
  readonly identity?: Located<string>;
  readonly identityGlob?: Located<string>;
  readonly identityRegex?: Located<string>;
}

export interface WrittenGithub {
  readonly repository: Located<string>;
  readonly workflow?: Located<string>;
  readonly ref?: Located<string>;
}

/** Exactly one of the fields beside `id` is there. */
export interface WrittenRequirement {
  readonly id: Located<string>;
  readonly signature?: { readonly by: WrittenBy };
  readonly attestation?: WrittenAttestation;
  readonly sbom?: WrittenSbom;
}

export interface WrittenAttestation {
  readonly type: Located<string>;
  readonly by: WrittenBy;
  readonly maxAge?: Located<string>;
}

export interface WrittenSbom {
  readonly from: Located<string>;
  readonly deny?: readonly Located<string>[];
  readonly require?: readonly Located<string>[];
}

/** `atLeast` of these signers; absent means 1. */
export interface WrittenBy {
  readonly atLeast?: Located<number>;
  readonly of: readonly Located<string>[];
}

export const API_VERSION = 'boltseal.dev/v1';
export const KIND = 'ImagePolicy';

const by: Reader<WrittenBy> = (node, report) => {
  if (node.kind === 'scalar') {
    const only = name('by')(node, report);
    return only === undefined ? undefined : { of: [only] };
  }
  const signers = listOf('the list of signers', name('a signer'));
  if (node.kind === 'map' && node.entries.some(({ key }) => key === 'anyOf')) {
    const read = record<{ anyOf: readonly Located<string>[] }>('by', { anyOf: needed(signers) })(node, report);
    return read === undefined ? undefined : { of: read.anyOf };
  }
  return record<WrittenBy & { atLeast: Located<number> }>('by', {
    atLeast: needed(count('atLeast')),
    of: needed(signers),
  })(node, report);
};

const signer = record<WrittenSigner>(
  'a signer',
  {
    keyless: maybe(
      record<WrittenKeyless>(
        'keyless',
        {
          issuer: needed(text('issuer')),
          identity: maybe(text('identity')),
          identityGlob: maybe(text('identityGlob')),
          identityRegex: maybe(text('identityRegex')),
        },
        { exactlyOneOf: ['identity', 'identityGlob', 'identityRegex'] },
      ),
    ),
    github: maybe(
      record<WrittenGithub>('github', {
        repository: needed(text('repository')),
        workflow: maybe(text('workflow')),
        ref: maybe(text('ref')),
      }),
    ),
    key: maybe(text('key')),
  },
  { exactlyOneOf: ['keyless', 'github', 'key'] },
);

const requirement = record<WrittenRequirement>(
  'a requirement',
  {
    id: needed(name('id')),
    signature: maybe(record<{ by: WrittenBy }>('signature', { by: needed(by) })),
    attestation: maybe(
      record<WrittenAttestation>('attestation', {
        type: needed(text('type')),
        by: needed(by),
        maxAge: maybe(text('maxAge')),
      }),
    ),
    sbom: maybe(
      record<WrittenSbom>('sbom', {
        from: needed(name('from')),
        deny: maybe(listOf('deny', text('a package'))),
        require: maybe(listOf('require', text('a package'))),
      }),
    ),
  },
  { exactlyOneOf: ['signature', 'attestation', 'sbom'] },
);

/** Reads one document. What it accepts is what policies/policy.schema.json describes. */
export const readWrittenPolicy: Reader<WrittenPolicy> = record<WrittenPolicy>('the policy', {
  apiVersion: needed(oneOf('apiVersion', [API_VERSION])),
  kind: needed(oneOf('kind', [KIND])),
  metadata: needed(record<WrittenPolicy['metadata']>('metadata', { name: needed(name('name')) })),
  images: needed(listOf('images', text('an image pattern'))),
  exclude: maybe(listOf('exclude', text('an image pattern'))),
  signers: maybe(namesTo('signers', signer)),
  require: needed(listOf('require', requirement)),
  mode: maybe(oneOf('mode', ['enforce', 'warn'])),
});
