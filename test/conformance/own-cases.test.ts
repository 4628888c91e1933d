import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, encodedOf } from '../../src/oci/digest.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import type { RejectionCode } from '../../src/verify/rejection.ts';
import { boltseal } from '../support/cli.ts';
import { verifyCase, type InputKind } from '../support/conformance-case.ts';
import { testContext } from '../support/context.ts';

/** A bundle and a trusted root as loose JSON: cases change them. */
interface Log {
  baseUrl: string;
  publicKey: { validFor: { start?: string; end?: string } };
}
interface Authority {
  validFor: { start?: string; end?: string };
}
interface Root {
  [field: string]: unknown;
  tlogs: Log[];
  ctlogs: Log[];
  certificateAuthorities: Authority[];
  timestampAuthorities: Authority[];
}
interface Entry {
  logIndex: string;
  integratedTime: string;
  canonicalizedBody: string;
  logId: { keyId: string };
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof?: { logIndex: string; rootHash: string; hashes: string[]; checkpoint: { envelope: string } };
}
interface Bundle {
  [field: string]: unknown;
  mediaType: string;
  verificationMaterial: {
    [field: string]: unknown;
    certificate?: { rawBytes: string };
    tlogEntries: Entry[];
    timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  messageSignature?: { messageDigest: { algorithm: string; digest: string }; signature: string };
  dsseEnvelope?: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

const FORMS = ['message-rekor1', 'message-rekor2', 'dsse-rekor1', 'dsse-rekor2'] as const;
type Form = (typeof FORMS)[number];

interface Case {
  readonly name: string;
  /** All of them when absent. */
  readonly forms?: readonly Form[];
  /** What it is rejected for; absent where it is accepted. */
  readonly code?: RejectionCode | 'SIGNER_MISMATCH' | 'TRUST_ROOT_INVALID';
  /** `other` is another bundle of the same form, over another file. */
  readonly bundle?: (bundle: Bundle, other: Bundle) => void;
  readonly root?: (root: Root, foreign: Root) => void;
  readonly files?: Readonly<Record<string, string>>;
}

const REKOR1: readonly Form[] = ['message-rekor1', 'dsse-rekor1'];
const REKOR2: readonly Form[] = ['message-rekor2', 'dsse-rekor2'];
const MESSAGES: readonly Form[] = ['message-rekor1', 'message-rekor2'];
const ENVELOPES: readonly Form[] = ['dsse-rekor1', 'dsse-rekor2'];
const PAST = '2020-01-01T00:00:00Z';

const CASES: readonly Case[] = [
  { name: 'as it was signed' },
  { name: 'with another log in the root beside its own', root: (root, foreign) => root.tlogs.push(...foreign.tlogs) },

  // who signed
  { name: 'another identity', code: 'SIGNER_MISMATCH', files: { identity: 'https://someone.example/else' } },
  { name: 'another issuer', code: 'SIGNER_MISMATCH', files: { issuer: 'https://issuer.example.com' } },
  { name: 'another identity that begins the same', code: 'SIGNER_MISMATCH', files: { identity: 'https://boltseal' } },

  // what was signed
  { name: 'another file', code: 'SUBJECT_MISMATCH', files: { artifact: 'another file' } },
  {
    name: 'another signature',
    code: 'SIGNATURE_INVALID',
    bundle: (bundle, other) => {
      if (bundle.messageSignature) bundle.messageSignature.signature = other.messageSignature?.signature ?? '';
      if (bundle.dsseEnvelope) bundle.dsseEnvelope.signatures = other.dsseEnvelope?.signatures ?? [];
    },
  },
  {
    name: 'another digest beside the signature',
    forms: MESSAGES,
    code: 'SUBJECT_MISMATCH',
    bundle: (bundle, other) => {
      if (bundle.messageSignature && other.messageSignature)
        bundle.messageSignature.messageDigest = other.messageSignature.messageDigest;
    },
  },
  {
    name: 'another payload',
    forms: ENVELOPES,
    code: 'SIGNATURE_INVALID',
    bundle: (bundle, other) => {
      if (bundle.dsseEnvelope) bundle.dsseEnvelope.payload = other.dsseEnvelope?.payload ?? '';
    },
  },
  {
    name: 'another payload type',
    forms: ENVELOPES,
    code: 'PAYLOAD_TYPE_UNSUPPORTED',
    bundle: (bundle) => {
      if (bundle.dsseEnvelope) bundle.dsseEnvelope.payloadType = 'text/plain';
    },
  },

  // the form of the bundle
  { name: 'an unknown version', code: 'BUNDLE_VERSION_UNSUPPORTED', bundle: (bundle) => (bundle.mediaType += '.1') },
  { name: 'an unknown field', code: 'BUNDLE_MALFORMED', bundle: (bundle) => (bundle['publicKey'] = { hint: '' }) },
  {
    name: 'no certificate',
    code: 'BUNDLE_MALFORMED',
    bundle: (bundle) => delete bundle.verificationMaterial.certificate,
  },

  // the certificate
  {
    name: 'the authority of another instance',
    code: 'CERTIFICATE_UNTRUSTED',
    root: (root, foreign) => (root.certificateAuthorities = foreign.certificateAuthorities),
  },
  { name: 'no authority', code: 'CERTIFICATE_UNTRUSTED', root: (root) => (root.certificateAuthorities = []) },
  {
    name: 'an authority that ended before',
    code: 'CERTIFICATE_UNTRUSTED',
    root: (root) => root.certificateAuthorities.forEach((one) => (one.validFor = { start: PAST, end: PAST })),
  },
  { name: 'no certificate log', code: 'CERTIFICATE_NOT_LOGGED', root: (root) => (root.ctlogs = []) },
  {
    name: 'the certificate log of another instance',
    code: 'CERTIFICATE_NOT_LOGGED',
    root: (root, foreign) => (root.ctlogs = foreign.ctlogs),
  },
  {
    name: 'another certificate',
    code: 'SIGNATURE_INVALID',
    bundle: (bundle, other) => {
      if (other.verificationMaterial.certificate)
        bundle.verificationMaterial.certificate = other.verificationMaterial.certificate;
    },
  },

  // the transparency log
  { name: 'no log in the root', code: 'LOG_ENTRY_MISSING', root: (root) => (root.tlogs = []) },
  {
    name: 'the log of another instance',
    code: 'LOG_ENTRY_MISSING',
    root: (root, foreign) => (root.tlogs = foreign.tlogs),
  },
  {
    name: 'no log entry',
    code: 'LOG_ENTRY_MISSING',
    bundle: (bundle) => (bundle.verificationMaterial.tlogEntries = []),
  },
  {
    name: 'the log entry of another signature',
    code: 'LOG_ENTRY_MISMATCH',
    bundle: (bundle, other) => (bundle.verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries),
  },
  {
    name: 'the same log entry twice',
    code: 'LOG_ENTRY_DUPLICATE',
    bundle: ({ verificationMaterial: material }) => material.tlogEntries.push(...material.tlogEntries),
  },
  {
    name: 'the checkpoint of another entry',
    code: 'LOG_ENTRY_INVALID',
    bundle: changeProof((proof, other) => (proof.checkpoint = other.checkpoint)),
  },
  {
    name: 'a root hash that is not the checkpoint’s',
    code: 'LOG_ENTRY_INVALID',
    bundle: changeProof((proof, other) => {
      proof.rootHash = other.rootHash;
      proof.hashes = other.hashes;
    }),
  },
  {
    name: 'a checkpoint that nobody signed',
    code: 'LOG_ENTRY_INVALID',
    bundle: changeProof((proof) => {
      proof.checkpoint.envelope = proof.checkpoint.envelope.replace(/\n— .*\n$/s, '\n');
    }),
  },
  {
    name: 'a proof for another place in the log',
    code: 'LOG_ENTRY_INVALID',
    bundle: changeProof((proof) => (proof.logIndex = String(Number(proof.logIndex) + 1))),
  },
  {
    name: 'a promise for another entry',
    forms: REKOR1,
    code: 'LOG_ENTRY_INVALID',
    bundle: ({ verificationMaterial: { tlogEntries } }, other) => {
      const [entry] = tlogEntries;
      const promise = other.verificationMaterial.tlogEntries[0]?.inclusionPromise;
      if (entry && promise) entry.inclusionPromise = promise;
    },
  },
  {
    name: 'a promised time that was changed',
    forms: REKOR1,
    code: 'LOG_ENTRY_INVALID',
    bundle: ({ verificationMaterial: { tlogEntries } }) => {
      for (const entry of tlogEntries) entry.integratedTime = String(Number(entry.integratedTime) + 1);
    },
  },
  {
    name: 'a negative log index',
    code: 'LOG_ENTRY_INVALID',
    bundle: ({ verificationMaterial: { tlogEntries } }) => {
      for (const entry of tlogEntries) entry.logIndex = '-1';
    },
  },
  {
    name: 'a log whose key ended before it promised',
    forms: REKOR1,
    code: 'LOG_ENTRY_INVALID',
    root: endLogs,
  },
  {
    name: 'a log whose key ended before the timestamp',
    forms: REKOR2,
    code: 'LOG_KEY_OUTSIDE_VALIDITY',
    root: endLogs,
  },

  // time
  {
    name: 'no timestamp',
    forms: REKOR2,
    code: 'TIMESTAMP_MISSING',
    bundle: (bundle) => delete bundle.verificationMaterial.timestampVerificationData,
  },
  {
    name: 'no timestamp authority in the root',
    forms: REKOR2,
    code: 'TIMESTAMP_MISSING',
    root: (root) => (root.timestampAuthorities = []),
  },
  {
    // It goes by the same name, so that only its signature tells it apart.
    name: 'the timestamp authority of another instance',
    forms: REKOR2,
    code: 'TIMESTAMP_INVALID',
    root: (root, foreign) => (root.timestampAuthorities = foreign.timestampAuthorities),
  },
  {
    name: 'a timestamp authority that ended before',
    forms: REKOR2,
    code: 'TIMESTAMP_INVALID',
    root: (root) => root.timestampAuthorities.forEach((one) => (one.validFor = { start: PAST, end: PAST })),
  },
  {
    name: 'the timestamp of another signature',
    code: 'TIMESTAMP_INVALID',
    bundle: ({ verificationMaterial: material }, other) => {
      const data = other.verificationMaterial.timestampVerificationData;
      if (data) material.timestampVerificationData = data;
    },
  },
  {
    name: 'the same timestamp twice',
    code: 'TIMESTAMP_DUPLICATE',
    bundle: ({ verificationMaterial: { timestampVerificationData: data } }) =>
      data?.rfc3161Timestamps.push(...data.rfc3161Timestamps),
  },

  // the trusted root
  {
    name: 'a log key without the start of its validity',
    code: 'TRUST_ROOT_INVALID',
    root: (root) => root.tlogs.forEach((log) => delete log.publicKey.validFor.start),
  },
  { name: 'a trusted root of an unknown form', code: 'TRUST_ROOT_INVALID', root: (root) => (root['extra'] = {}) },
];

type Proof = NonNullable<Entry['inclusionProof']>;

function endLogs(root: Root): void {
  for (const log of root.tlogs) log.publicKey.validFor = { start: PAST, end: PAST };
}

function changeProof(change: (proof: Proof, other: Proof) => void): NonNullable<Case['bundle']> {
  return (bundle, other) => {
    const proof = bundle.verificationMaterial.tlogEntries[0]?.inclusionProof;
    const foreign = other.verificationMaterial.tlogEntries[0]?.inclusionProof;
    if (proof === undefined || foreign === undefined) throw new Error('the bundle has no proof to change');
    change(proof, foreign);
  };
}

/** Cases that do not end as their code says, each with the reason. A surprise pass fails. */
const EXPECTED_FAILURES: Readonly<Record<string, string>> = {};

let folder: string;
let sandbox: Sandbox;
let foreign: Root;
const bundles = new Map<string, Bundle>();
const ARTIFACTS = { own: 'the file that is signed\n', other: 'some other file\n' } as const;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'boltseal-cases-'));
  const context = testContext({ now: () => new Date() });
  sandbox = await startSandbox({}, context);
  await using stranger = await startSandbox({}, context);
  foreign = JSON.parse(readFileSync(stranger.trustedRootPath, 'utf8')) as Root;
  for (const form of FORMS)
    for (const which of ['own', 'other'] as const) bundles.set(`${form} ${which}`, await signBundle(form, which));
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** By the suite's protocol for signing: arguments in its order. */
async function signBundle(form: Form, which: keyof typeof ARTIFACTS): Promise<Bundle> {
  const [bundleFile, artifact, file, config] = ['bundle', which, 'input', 'config.json'].map((name) =>
    join(folder, name),
  );
  const sha256 = encodedOf(digestOf(ARTIFACTS[which]));
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'file', digest: { sha256 } }],
    predicateType: 'https://example.com/predicate/v1',
    predicate: {},
  };
  writeFileSync(artifact ?? '', ARTIFACTS[which]);
  writeFileSync(file ?? '', form.startsWith('dsse') ? JSON.stringify(statement) : ARTIFACTS[which]);
  writeFileSync(config ?? '', configFor(form.endsWith('1') ? 1 : 2));
  const ran = await boltseal([
    'conformance',
    'sign-bundle',
    ...(form.startsWith('dsse') ? ['--in-toto'] : []),
    '--identity-token',
    await sandbox.token(),
    '--bundle',
    bundleFile ?? '',
    '--trusted-root',
    sandbox.trustedRootPath,
    '--signing-config',
    config ?? '',
    file ?? '',
  ]);
  if (ran.exitCode !== 0) throw new Error(ran.stderr);
  return JSON.parse(readFileSync(bundleFile ?? '', 'utf8')) as Bundle;
}

function configFor(version: 1 | 2): string {
  const config = JSON.parse(readFileSync(sandbox.signingConfigPath, 'utf8')) as {
    rekorTlogUrls: readonly { majorApiVersion: number }[];
  };
  const rekorTlogUrls = config.rekorTlogUrls.filter(({ majorApiVersion }) => majorApiVersion === version);
  return JSON.stringify({ ...config, rekorTlogUrls });
}

function writeCase({ name, bundle: changeBundle, root: changeRoot, files = {} }: Case, form: Form): string {
  const place = join(folder, `${form} ${name}`);
  mkdirSync(place, { recursive: true });
  const bundle = structuredClone(bundles.get(`${form} own`));
  const other = structuredClone(bundles.get(`${form} other`));
  if (bundle === undefined || other === undefined) throw new Error('no bundle');
  changeBundle?.(bundle, other);
  const root = JSON.parse(readFileSync(sandbox.trustedRootPath, 'utf8')) as Root;
  changeRoot?.(root, structuredClone(foreign));
  const contents: Record<string, string> = {
    'bundle.sigstore.json': JSON.stringify(bundle),
    'trusted_root.json': JSON.stringify(root),
    identity: sandbox.identity,
    issuer: sandbox.issuer,
    ...files,
  };
  for (const [file, text] of Object.entries(contents)) writeFileSync(join(place, file), text);
  return place;
}

describe.each(CASES)('$name', (one) => {
  const runs = (one.forms ?? FORMS).flatMap((form) =>
    (['path', 'digest'] as const).map((input): [Form, InputKind] => [form, input]),
  );
  test.each(runs)(`${one.code ?? 'accepted'}: %s by %s`, async (form, input) => {
    const { exitCode, stderr } = await verifyCase(writeCase(one, form), input, join(folder, 'own'));
    const asItsCodeSays = one.code === undefined ? exitCode === 0 : exitCode !== 0 && stderr.includes(one.code);
    const expected = !(`${one.name}: ${form} by ${input}` in EXPECTED_FAILURES);
    expect({ said: stderr, asItsCodeSays }).toEqual({ said: stderr, asItsCodeSays: expected });
  });
});

test('a key beside a bundle that has a certificate lets nobody in', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const place = writeCase({ name: 'with a key', files: { 'key.pub': pem } }, 'message-rekor1');
  expect(await verifyCase(place, 'path', join(folder, 'own'))).toMatchObject({ exitCode: 1 });
});
