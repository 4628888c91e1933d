import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { takeDirectoryInventory } from '../../src/catalog/take-directory-inventory.ts';
import { walkDirectory } from '../../src/image/walk-directory.ts';
import { boltseal } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { codeOf } from '../support/open-registry.ts';

const STATUS = (version: string): string =>
  `Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\nMaintainer: A <a@example.com>\n`;
const RELEASE = 'ID=debian\nVERSION_ID="12"\n';

function folder(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'boltseal-root-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, body] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), body);
  }
  return root;
}

const names = async (root: string): Promise<readonly string[]> =>
  (await takeDirectoryInventory(root, testContext())).packages.map(({ purl }) => purl);

describe('a file-system root on disk', () => {
  test('is cataloged as an image is, without layers', async () => {
    const root = folder({ 'etc/os-release': RELEASE, 'var/lib/dpkg/status': STATUS('1.2') });
    const inventory = await takeDirectoryInventory(root, testContext());
    expect(inventory).toMatchObject({ distro: { id: 'debian' }, layers: [], unknowns: [] });
    expect(inventory.packages.map(({ purl }) => purl)).toEqual([
      expect.stringMatching(/^pkg:deb\/debian\/zlib1g@1\.2/),
    ]);
  });

  test('gives the same SBOM twice, and another one when a package changes', async () => {
    const root = folder({ 'etc/os-release': RELEASE, 'var/lib/dpkg/status': STATUS('1.2') });
    const first = await boltseal(['sbom', `dir:${root}`]);
    expect(first).toMatchObject({ exitCode: 0 });
    expect((await boltseal(['sbom', root])).stdout).toBe(first.stdout);
    const serial = (text: string): unknown => (JSON.parse(text) as { serialNumber: unknown }).serialNumber;
    writeFileSync(join(root, 'var/lib/dpkg/status'), STATUS('1.3'));
    const second = await boltseal(['sbom', `dir:${root}`]);
    expect(serial(second.stdout)).not.toBe(serial(first.stdout));
    expect(first.stdout).not.toContain('diffID');
  });

  test.each([
    ['within it', '/usr/share/status', true],
    ['relative, within it', '../../../usr/share/status', true],
  ])('a link %s is followed', async (_, target, found) => {
    const root = folder({ 'usr/share/status': STATUS('1'), 'var/lib/dpkg/x': '' });
    symlinkSync(target, join(root, 'var/lib/dpkg/status'));
    expect((await names(root)).length > 0).toBe(found);
  });

  test('a link to a place outside of it is not followed', async () => {
    const outside = folder({ status: STATUS('1'), 'dpkg/status': STATUS('1') });
    const root = folder({ 'var/lib/dpkg/x': '', 'opt/x': '' });
    symlinkSync(join(outside, 'status'), join(root, 'var/lib/dpkg/status'));
    symlinkSync(outside, join(root, 'opt/lib'));
    expect(await names(root)).toEqual([]);
    const { entries } = await walkDirectory(root, () => undefined, testContext());
    expect(entries.map(({ path }) => path).filter((path) => path.startsWith('opt'))).toEqual([
      'opt',
      'opt/lib',
      'opt/x',
    ]);
  });

  test.skipIf(process.getuid?.() === 0)(
    'what may not be read is unknown, and the rest is there (needs a user other than root)',
    async () => {
      const root = folder({ 'var/lib/dpkg/status': STATUS('1'), 'lib/apk/db/installed': 'P:a\nV:1\n', 'secret/x': '' });
      chmodSync(join(root, 'lib/apk/db/installed'), 0);
      chmodSync(join(root, 'secret'), 0);
      onTestFinished(() => chmodSync(join(root, 'secret'), 0o700));
      const { packages, unknowns } = await takeDirectoryInventory(root, testContext());
      expect(packages).toHaveLength(1);
      expect(unknowns.map(({ path }) => path)).toEqual(['lib/apk/db/installed', 'secret']);
    },
  );

  test('a file that is not the one that was listed is unknown', async () => {
    const root = folder({ 'a/status': 'x', 'b/status': 'longer than it' });
    const reasons: string[] = [];
    const sink = { write: () => true, end: () => undefined, fail: (reason: string) => void reasons.push(reason) };
    const visit = ({ path }: { readonly path: string }): typeof sink => {
      rmSync(join(root, path));
      if (path.startsWith('a')) symlinkSync('/etc/hostname', join(root, path));
      else writeFileSync(join(root, path), 'new');
      return sink;
    };
    await walkDirectory(root, visit, testContext());
    expect(reasons[0]).toContain('a link took its place');
  });

  test('sockets are listed and never opened, names that mean a deletion are unknown', async () => {
    const root = folder({ 'var/lib/dpkg/.wh.status': STATUS('1'), 'usr/bin/x': '' });
    const server = createServer().listen(join(root, 'usr/bin/socket'));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { entries } = await walkDirectory(root, () => undefined, testContext());
    expect(entries.find(({ path }) => path === 'usr/bin/socket')?.type).toBe('other');
    const { unknowns } = await takeDirectoryInventory(root, testContext());
    expect(unknowns).toEqual([{ path: 'var/lib/dpkg/.wh.status', cataloger: 'directory', reason: expect.any(String) }]);
  });

  test('names come in byte order, those that are not UTF-8 too', async () => {
    const root = folder({ 'b/x': '', 'a/z': '', 'a/é': '', a2: '' });
    writeFileSync(Buffer.concat([Buffer.from(`${root}/a/`), Buffer.from([0xff])]), 'x');
    const { entries } = await walkDirectory(root, () => undefined, testContext());
    expect(entries.map(({ path }) => path)).toEqual(['a', 'a2', 'b', 'a/z', 'a/é', 'a/\uDCFF', 'b/x']);
  });

  test.skipIf(process.platform !== 'linux')(
    'the file systems of the kernel are not entered (needs Linux)',
    async () => {
      const events: string[] = [];
      const stop = new AbortController();
      const context = testContext({
        signal: stop.signal,
        emit: (event) => {
          if (event.kind !== 'step') return;
          events.push(event.message);
          stop.abort();
        },
      });
      await walkDirectory('/', () => undefined, context).catch(() => undefined);
      expect(events[0]).toMatch(/is a \w+ file system of the kernel/);
    },
  );

  test('that is not there is not found, and a file is none', async () => {
    const root = folder({ file: '' });
    expect(await codeOf(takeDirectoryInventory(join(root, 'gone'), testContext()))).toBe('FILE_NOT_FOUND');
    expect(await codeOf(takeDirectoryInventory(join(root, 'file'), testContext()))).toBe('FILE_UNREADABLE');
  });

  test('is for no platform', async () => {
    const ran = await boltseal(['sbom', `dir:${folder({})}`, '--platform', 'linux/amd64']);
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('for no platform') });
  });
});
