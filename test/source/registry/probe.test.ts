import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { probeRegistry, type ProbeOptions, type ProbeReport } from '../../../src/actions/probe-registry.ts';
import type { ProgressEvent } from '../../../src/base/context.ts';
import type { FaultName } from '../../../src/sandbox/registry/faults/faults.ts';
import { startRegistry } from '../../../src/sandbox/registry/registry.ts';
import { boltseal } from '../../support/cli.ts';
import { testContext, type TestContext } from '../../support/context.ts';
import { codeOf, openAt, pushImage } from '../../support/open-registry.ts';

interface Probed {
  readonly host: string;
  readonly context: TestContext;
  readonly probe: (options?: ProbeOptions, context?: TestContext) => Promise<ProbeReport>;
  /** What the registry stored for the probe and still has. */
  readonly left: () => Promise<readonly string[]>;
}

async function withRegistry(
  faults: readonly FaultName[],
  use: (probed: Probed) => Promise<void>,
  { isEmpty = false } = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'boltseal-probe-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const context = testContext();
  await using registry = await startRegistry({ directory, port: 0, faults }, context);
  if (!isEmpty) await pushImage(openAt(registry.host, { context }));
  const before = context.events.length;
  const { host } = registry;
  await use({
    host,
    context,
    probe: (options = {}, own = testContext()) => probeRegistry(`${host}/acme/app`, options, own),
    async left() {
      const stored = context.events.slice(before).flatMap(storedBy);
      const there = await Promise.all(
        [...new Set(stored)].map(async (path) => ({ path, response: await fetch(`http://${host}${path}`, ACCEPT) })),
      );
      return there.filter(({ response }) => response.status === 200).map(({ path }) => path);
    },
  });
}

const ACCEPT = { headers: { accept: '*/*' } };

/** The path under which a request to the sandbox has stored something. */
function storedBy(event: ProgressEvent): readonly string[] {
  const [, path = ''] =
    event.kind === 'detail' ? (/^sandbox registry: (?:PUT|POST) (\S+) → 201$/.exec(event.message) ?? []) : [];
  const digest = new URLSearchParams(path.split('?')[1]).get('digest');
  if (path === '') return [];
  return [digest === null ? path : `/v2/acme/app/blobs/${digest}`];
}

function answersOf({ answers }: ProbeReport): Readonly<Record<string, string>> {
  return Object.fromEntries(answers.map(({ feature, answer }) => [feature, answer]));
}

const EVERYTHING = {
  referrersApi: 'yes',
  ociSubject: 'yes',
  filter: 'yes',
  fallbackTag: 'yes',
  deleteManifest: 'yes',
  deleteTag: 'yes',
  deleteBlob: 'yes',
  mount: 'yes',
  singlePost: 'yes',
  chunked: 'yes',
  sha512: 'yes',
  // The sandbox's registry writes whatever the condition says, as most do.
  conditionalPut: 'no',
  range: 'yes',
};

describe('a probe', () => {
  test('of an honest registry finds everything, and leaves nothing', async () => {
    await withRegistry([], async ({ probe, left, host }) => {
      const report = await probe();
      expect(answersOf(report)).toEqual(EVERYTHING);
      expect(report.leftovers).toEqual([]);
      expect(await left()).toEqual([]);
      expect(await (await fetch(`http://${host}/v2/acme/app/tags/list`)).json()).toMatchObject({ tags: ['1'] });
    });
  });

  test.each([
    ['html-404', { referrersApi: 'no', ociSubject: 'no', filter: 'no' }],
    ['303-cross-host', { referrersApi: 'no', ociSubject: 'no', filter: 'no' }],
    ['false-200-empty', { referrersApi: 'no', ociSubject: 'no', filter: 'no' }],
    ['no-oci-subject', { ociSubject: 'no' }],
    ['lying-oci-subject', { referrersApi: 'no', filter: 'no' }],
    ['dash-tag-is-digest', { referrersApi: 'no', ociSubject: 'no', filter: 'no', fallbackTag: 'no' }],
    ['filter-ignored', { filter: 'no' }],
    ['single-post-202', { singlePost: 'no', mount: 'no' }],
    ['no-sha512', { sha512: 'no' }],
    ['if-match-412', { referrersApi: 'no', ociSubject: 'no', filter: 'no', conditionalPut: 'yes' }],
    ['absolute-location', {}],
    ['upload-elsewhere', {}],
    ['blob-elsewhere', {}],
    ['expired-token', {}],
  ] as const)('of one with %s sees it, and leaves nothing', async (fault, changes) => {
    await withRegistry([fault], async ({ probe, left }) => {
      const report = await probe();
      expect(answersOf(report)).toEqual({ ...EVERYTHING, ...changes });
      expect(report.leftovers).toEqual([]);
      expect(fault === 'expired-token' ? [] : await left()).toEqual([]);
    });
  });

  test('pushes nothing where nothing can be deleted', async () => {
    await withRegistry(['no-delete'], async ({ probe, left, context }) => {
      const before = context.events.length;
      const report = await probe();
      expect(report.nothingPushed).toContain('delete manifests, delete blobs');
      expect(answersOf(report)).toMatchObject({ referrersApi: 'yes', deleteManifest: 'no', chunked: 'unknown' });
      expect(await left()).toEqual([]);
      const methods = context.events.slice(before).map((event) => ('message' in event ? event.message : ''));
      expect(methods.filter((line) => /registry: (?:PUT|POST|PATCH)/.test(line))).toEqual([]);
    });
  });

  test('pushes there when that is allowed, and names what stays', async () => {
    await withRegistry(['no-delete'], async ({ probe, left }) => {
      const context = testContext();
      const report = await probe({ allowLeftovers: true }, context);
      expect(answersOf(report)).toEqual({ ...EVERYTHING, deleteManifest: 'no', deleteTag: 'no', deleteBlob: 'no' });
      const there = await left();
      expect(there.length).toBeGreaterThan(5);
      for (const path of there) {
        const [, name = ''] = /\/([^/]+)$/.exec(path) ?? [];
        expect(report.leftovers.some((what) => what.includes(name))).toBe(true);
      }
      expect(context.events.filter(({ kind }) => kind === 'warning')).toHaveLength(report.leftovers.length);
    });
  });

  test('does not create a repository', async () => {
    await withRegistry(
      [],
      async ({ probe, host }) => {
        expect((await probe()).nothingPushed).toContain('would create it');
        expect((await fetch(`http://${host}/v2/acme/app/tags/list`)).status).toBe(404);
      },
      { isEmpty: true },
    );
  });

  test.each([3, 8, 14])('that is interrupted after %i requests that store something removes them', async (requests) => {
    await withRegistry([], async ({ probe, left }) => {
      const stop = new AbortController();
      let seen = 0;
      const context = testContext({
        signal: stop.signal,
        emit: (event) => {
          if (event.kind === 'detail' && /^(?:PUT|POST|PATCH) /.test(event.message)) seen += 1;
          if (seen === requests) stop.abort();
        },
      });
      expect(await codeOf(probe({}, context))).toBe('INTERRUPTED');
      expect(await left()).toEqual([]);
    });
  });

  test('that fails half-way removes what it has pushed', async () => {
    await withRegistry(['small-manifests'], async ({ probe, left }) => {
      expect(await codeOf(probe())).toBe('REGISTRY_ERROR');
      expect(await left()).toEqual([]);
    });
  });

  test('of a registry that lets nobody in finds out nothing', async () => {
    await withRegistry(
      ['rate-limit-always'],
      async ({ probe }) => expect(await codeOf(probe())).toBe('REGISTRY_RATE_LIMITED'),
      { isEmpty: true },
    );
  });

  test.each(['acme/app:1', `acme/app@sha256:${'0'.repeat(64)}`])('takes a repository, not %s', async (name) => {
    expect(await codeOf(probeRegistry(`127.0.0.1:1/${name}`, {}, testContext()))).toBe('USAGE');
  });

  test('is told as text and as json', async () => {
    await withRegistry([], async ({ host }) => {
      const text = await boltseal(['registry', 'probe', `${host}/acme/app`]);
      expect(text).toMatchObject({ exitCode: 0 });
      expect(text.stdout).toMatch(/✓ referrers API +lists what was pushed\n/);
      const json = await boltseal(['registry', 'probe', `${host}/acme/app`, '--format', 'json']);
      expect(JSON.parse(json.stdout)).toMatchObject({ schemaVersion: 1, kind: 'ProbeResult', leftovers: [] });
    });
  });
});
