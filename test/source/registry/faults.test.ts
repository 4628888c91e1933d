import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { FAULTS, type FaultName } from '../../../src/sandbox/registry/faults/faults.ts';
import { startRegistry } from '../../../src/sandbox/registry/registry.ts';
import type { RegistryOptions } from '../../../src/source/registry/registry.ts';
import type { WritableSource } from '../../../src/source/source.ts';
import { boltseal } from '../../support/cli.ts';
import { testContext, type TestContext } from '../../support/context.ts';
import { blobOf, codeOf, imageManifest, openAt, pushImage } from '../../support/open-registry.ts';

interface Faulty {
  readonly host: string;
  readonly context: TestContext;
  readonly source: WritableSource;
  /** `acme/app` there, opened in another way. */
  readonly open: (options: RegistryOptions, suffix?: string) => WritableSource;
}

async function withFaults(faults: readonly FaultName[], use: (faulty: Faulty) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'boltseal-faults-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const context = testContext();
  await using registry = await startRegistry({ directory, port: 0, faults }, context);
  const open: Faulty['open'] = (options, suffix = ':1') => openAt(registry.host, { suffix, options, context });
  await using source = open({});
  await use({ host: registry.host, context, source, open });
}

/** Attaches something to an image. */
async function refer(
  source: WritableSource,
  subject: Descriptor,
  name = 'a',
  type = 'application/x-a',
): Promise<Descriptor> {
  const { mediaType, digest, size } = subject;
  return source.writeManifest(imageManifest(name, { artifactType: type, subject: { mediaType, digest, size } }));
}

async function listed(source: WritableSource, subject: Descriptor, artifactType?: string): Promise<readonly string[]> {
  const found = await source.listReferrers(subject.digest, artifactType === undefined ? {} : { artifactType });
  return found.map(({ digest }) => digest).toSorted();
}

async function findsWhatIsAttached({ source }: Faulty): Promise<void> {
  const image = await pushImage(source);
  const other = await pushImage(source, 'other');
  expect(await listed(source, image)).toEqual([]);
  const attached = [await refer(source, image, 'a'), await refer(source, image, 'b'), await refer(source, image, 'c')];
  expect(await listed(source, image)).toEqual(attached.map(({ digest }) => digest).toSorted());
  expect(await listed(source, other)).toEqual([]);
}

const BIG = blobOf('0123456789abcdef'.repeat(20_000));

async function movesBlobs({ source }: Faulty): Promise<void> {
  for (const { descriptor, bytes } of [BIG, blobOf('small')]) {
    await source.writeBlob(descriptor, () => bytes);
    expect((await buffer(await source.readBlob(descriptor))).equals(bytes)).toBe(true);
  }
}

async function refusesToLogIn({ open, context }: Faulty): Promise<void> {
  const source = open({ credential: { kind: 'basic', username: 'me', password: 'secret-password' } });
  const error: unknown = await source.resolve().catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'REGISTRY_UNSAFE' });
  expect(String(error)).not.toContain('secret-password');
  expect(await codeOf(source.listReferrers(BIG.descriptor.digest))).toBe('REGISTRY_UNSAFE');
  expect(asked(context, 'registry storage')).toEqual([]);
}

async function bytesAreRefused({ source }: Faulty, blobCode: string): Promise<void> {
  const { digest } = await pushImage(source);
  await source.writeBlob(BIG.descriptor, () => BIG.bytes);
  expect(await codeOf(source.readManifest(digest))).toBe('DIGEST_MISMATCH');
  expect(await codeOf(source.readBlob(BIG.descriptor).then(buffer))).toBe(blobCode);
}

/** The requests that a server of the sandbox saw. */
function asked({ events }: TestContext, server: string): readonly string[] {
  return events.flatMap((event) =>
    event.kind === 'detail' && event.message.startsWith(`sandbox ${server}: `) ? [event.message] : [],
  );
}

async function answerOf(host: string, feature: string): Promise<unknown> {
  const ran = await boltseal(['registry', 'probe', `${host}/acme/app`, '--format', 'json']);
  const { answers } = JSON.parse(ran.stdout) as { answers: readonly { feature: string; answer: string }[] };
  return answers.find((each) => each.feature === feature)?.answer;
}

async function succeedsLater({ source, context }: Faulty): Promise<void> {
  expect(await codeOf(source.resolve())).toBe('NOT_FOUND');
  expect(asked(context, 'registry').filter((line) => line.endsWith('429'))).toHaveLength(2);
}

/** What the client does about each fault. */
const RIGHT: Readonly<Record<FaultName, (faulty: Faulty) => Promise<void>>> = {
  'html-404': findsWhatIsAttached,
  '303-cross-host': async (faulty) => {
    await findsWhatIsAttached(faulty);
    expect(asked(faulty.context, 'registry storage')).toEqual([]);
  },
  'false-200-empty': findsWhatIsAttached,
  'no-oci-subject': findsWhatIsAttached,
  'lying-oci-subject': async (faulty) => {
    const image = await pushImage(faulty.source);
    await refer(faulty.source, image);
    expect(await listed(faulty.source, image)).toEqual([]);
    await using careful = faulty.open({ confirmReferrers: true });
    const { digest } = await refer(careful, image, 'b');
    expect(await listed(faulty.source, image)).toEqual([digest]);
  },
  'unknown-subject-400': findsWhatIsAttached,
  'dash-tag-is-digest': async ({ source, context }) => {
    const image = await pushImage(source);
    expect(await codeOf(refer(source, image))).toBe('REFERRERS_UPDATE_FAILED');
    expect(await listed(source, image)).toEqual([]);
    expect(context.events).toContainEqual({ kind: 'warning', message: expect.stringContaining('the image itself') });
    expect((await source.readManifest(image.digest)).manifest.kind).toBe('image');
  },
  'filter-ignored': async ({ source }) => {
    const image = await pushImage(source);
    const { digest } = await refer(source, image, 'a', 'application/x-a');
    await refer(source, image, 'b', 'application/x-b');
    expect(await listed(source, image, 'application/x-a')).toEqual([digest]);
  },
  paging: findsWhatIsAttached,
  'unquoted-rel': findsWhatIsAttached,
  'upload-elsewhere': async (faulty) => {
    await movesBlobs(faulty);
    expect(asked(faulty.context, 'registry storage').join()).toMatch(/PUT .* → 201/);
  },
  'absolute-location': movesBlobs,
  'single-post-202': movesBlobs,
  'stale-upload': movesBlobs,
  'upload-416': movesBlobs,
  'immutable-tags': async ({ source }) => {
    const image = await pushImage(source);
    const { digest } = await refer(source, image, 'a');
    const error: unknown = await refer(source, image, 'b').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'REFERRERS_UPDATE_FAILED', hint: expect.stringContaining('sha256-*') });
    expect(await listed(source, image)).toEqual([digest]);
  },
  'no-delete': async ({ source, host, context }) => {
    await pushImage(source);
    const before = asked(context, 'registry').filter((line) => /: (?:PUT|POST|PATCH) /.test(line)).length;
    expect(await answerOf(host, 'deleteManifest')).toBe('no');
    expect(asked(context, 'registry').filter((line) => /: (?:PUT|POST|PATCH) /.test(line))).toHaveLength(before);
  },
  'no-sha512': async ({ source, host }) => {
    await pushImage(source);
    expect(await answerOf(host, 'sha512')).toBe('no');
    expect(await answerOf(host, 'chunked')).toBe('yes');
  },
  'small-manifests': async ({ source }) => {
    const { digest } = await pushImage(source);
    const error: unknown = await source
      .writeManifest(imageManifest('x'.repeat(1000)))
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'REGISTRY_ERROR', message: expect.stringContaining('413') });
    expect((await source.readManifest(digest)).digest).toBe(digest);
  },
  'if-match-412': findsWhatIsAttached,
  'blob-elsewhere': async (faulty) => {
    await movesBlobs(faulty);
    expect(asked(faulty.context, 'registry storage').join()).toMatch(/GET .* → 200/);
  },
  'no-digest-header': async ({ source }) => {
    const { digest } = await pushImage(source);
    expect(await source.resolve()).toBe(digest);
  },
  'digest-header-sha512': async ({ source }) => {
    const { digest } = await pushImage(source);
    expect((await source.readManifest(digest)).digest).toBe(digest);
    expect((await source.writeManifest(imageManifest('other'))).digest).toMatch(/^sha256:/);
  },
  'corrupt-body': (faulty) => bytesAreRefused(faulty, 'DIGEST_MISMATCH'),
  'short-body': (faulty) => bytesAreRefused(faulty, 'SIZE_MISMATCH'),
  'reset-body': movesBlobs,
  'rate-limit-seconds': succeedsLater,
  'rate-limit-date': succeedsLater,
  'rate-limit-always': async ({ source }) => {
    expect(await codeOf(source.resolve())).toBe('REGISTRY_RATE_LIMITED');
    expect(await codeOf(source.listReferrers(BIG.descriptor.digest))).toBe('REGISTRY_RATE_LIMITED');
  },
  'expired-token': async (faulty) => {
    await movesBlobs(faulty);
    await findsWhatIsAttached(faulty);
  },
  'realm-metadata': refusesToLogIn,
  'realm-plain-http': refusesToLogIn,
  'realm-no-http': refusesToLogIn,
  'realm-redirect': async ({ open, context }) => {
    const source = open({ credential: { kind: 'basic', username: 'me', password: 'secret-password' } });
    expect(await codeOf(source.resolve())).toMatch(/^REGISTRY_/);
    expect(asked(context, 'registry storage')).toEqual([]);
  },
};

describe('a registry with the fault', () => {
  test.each(Object.keys(FAULTS) as readonly FaultName[])('%s', async (name) => {
    expect.hasAssertions();
    await withFaults([name], RIGHT[name]);
  });

  test.each(['blob-elsewhere', 'upload-elsewhere'] as const)('%s gets no token to see', (name) =>
    withFaults(['expired-token', name], movesBlobs),
  );
});

describe('a registry without a fault', () => {
  test('does none of it', async () => {
    await withFaults([], async (honest) => {
      await findsWhatIsAttached(honest);
      await movesBlobs(honest);
      expect(asked(honest.context, 'registry').filter((line) => /→ (?:4(?!04)|5)\d\d/.test(line))).toEqual([]);
    });
  });

  test('has no fault of another name', async () => {
    const ran = await boltseal(['sandbox', 'up', '--fault', 'no-such']);
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('has no fault "no-such"') });
  });
});
