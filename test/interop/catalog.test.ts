import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Inventory } from '../../src/catalog/inventory.ts';
import { inventoryOfTars, missingProgram, run, temporaryFolder } from '../support/packed-folder.ts';

const listed = ({ packages }: Inventory, type: string): readonly string[] =>
  packages
    .filter((found) => found.type === type)
    .map(
      ({ namespace, name, version = '' }) =>
        `${type === 'npm' && namespace !== undefined ? `${namespace}/` : ''}${name} ${version}`,
    )
    .toSorted();

const noDebian = missingProgram('mmdebstrap', 'umoci', 'dpkg-query', 'tar');
test.skipIf(noDebian !== undefined)(
  `a Debian root has the packages dpkg-query lists (needs ${noDebian ?? 'nothing more'})`,
  async () => {
    const folder = temporaryFolder();
    const tar = join(folder, 'root.tar');
    run('mmdebstrap', ['--variant=minbase', 'bookworm', tar]);
    run('tar', ['-xf', tar, '-C', folder, './var/lib/dpkg']);
    const format = '${Package} ${Version} ${Architecture}\n';
    const known = run('dpkg-query', [`--admindir=${join(folder, 'var/lib/dpkg')}`, '-W', '-f', format]);
    const inventory = await inventoryOfTars(tar);
    const found = inventory.packages.map(
      ({ name, version, architecture }) => `${name} ${version ?? ''} ${architecture ?? ''}`,
    );
    expect(found.toSorted()).toEqual(known.trim().split('\n').toSorted());
    expect(inventory.unknowns).toEqual([]);
    expect(inventory.distro).toMatchObject({ id: 'debian', versionId: '12' });
    // One Debian package describes its licences in prose.
    const unlicensed = inventory.packages.filter(({ licenses }) => licenses.length === 0);
    expect(unlicensed.map(({ name }) => name)).toEqual(['libcrypt1']);
  },
);

interface NpmNode {
  /** Put there by something else than the lockfile, an install script say: no dependency. */
  readonly extraneous?: boolean;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, NpmNode>>;
}

/** Every `name version` of npm's tree, and every edge between two. */
function npmTree(root: NpmNode): { readonly nodes: readonly string[]; readonly edges: readonly string[] } {
  const nodes = new Set<string>();
  const edges = new Set<string>();
  const walk = (node: NpmNode, parent: string | undefined): void => {
    for (const [name, child] of Object.entries(node.dependencies ?? {})) {
      if (child.version === undefined) continue;
      const label = `${name} ${child.version}`;
      nodes.add(label);
      if (parent !== undefined && child.extraneous !== true) edges.add(`${parent} → ${label}`);
      walk(child, label);
    }
  };
  walk(root, undefined);
  return { nodes: [...nodes].toSorted(), edges: [...edges].toSorted() };
}

const noNpm = missingProgram('npm', 'umoci', 'tar');
test.skipIf(noNpm !== undefined)(
  `this project’s node_modules is what npm ls lists (needs ${noNpm ?? 'nothing more'})`,
  async () => {
    const folder = temporaryFolder();
    const tar = join(folder, 'app.tar');
    run('sh', ['-c', `find node_modules -name package.json -o -name .package-lock.json | tar -cf ${tar} -T -`]);
    const tree = npmTree(JSON.parse(run('npm', ['ls', '--all', '--json'])) as NpmNode);
    const inventory = await inventoryOfTars(tar);
    expect(listed(inventory, 'npm')).toEqual(tree.nodes);
    const labels = new Map(
      inventory.packages.map((found) => [
        found.purl,
        `${found.namespace === undefined ? '' : `${found.namespace}/`}${found.name} ${found.version ?? ''}`,
      ]),
    );
    const edges = inventory.relations.map(({ from, to }) => `${labels.get(from) ?? ''} → ${labels.get(to) ?? ''}`);
    expect(edges.toSorted()).toEqual(tree.edges);
  },
);

const noPython = missingProgram('python3', 'umoci', 'tar');
test.skipIf(noPython !== undefined)(
  `a virtual environment has what pip list lists (needs ${noPython ?? 'nothing more'})`,
  async () => {
    const folder = temporaryFolder();
    const pip = join(folder, 'opt/venv/bin/pip');
    run('python3', ['-m', 'venv', join(folder, 'opt/venv')]);
    run(pip, ['install', '--quiet', 'flask==3.0.3', 'requests==2.32.3']);
    const known = JSON.parse(run(pip, ['list', '--format=json'])) as readonly { name: string; version: string }[];
    run('tar', ['-cf', join(folder, 'app.tar'), '-C', folder, 'opt']);
    const inventory = await inventoryOfTars(join(folder, 'app.tar'));
    const bySite = inventory.packages.filter(({ evidence }) =>
      evidence.some(({ path }) => !path.includes('/_vendor/')),
    );
    expect(listed({ ...inventory, packages: bySite }, 'pypi')).toEqual(
      known.map(({ name, version }) => `${name} ${version}`).toSorted(),
    );
    const requests = inventory.packages.find(({ name }) => name === 'requests');
    const needed = inventory.relations
      .filter(({ from }) => from === requests?.purl)
      .map(({ to }) => to.replace(/@.*/, ''));
    expect(needed).toEqual(['pkg:pypi/certifi', 'pkg:pypi/charset-normalizer', 'pkg:pypi/idna', 'pkg:pypi/urllib3']);
  },
);

const noGo = missingProgram('go', 'umoci', 'tar');
test.skipIf(noGo !== undefined)(
  `a Go program has the modules go version -m lists (needs ${noGo ?? 'nothing more'})`,
  async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/go.mod'), 'module example.com/app\n\ngo 1.20\n');
    writeFileSync(
      join(folder, 'src/main.go'),
      'package main\n\nimport "rsc.io/quote"\n\nfunc main() { println(quote.Hello()) }\n',
    );
    const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' };
    run('go', ['get', 'rsc.io/quote@v1.5.2'], { cwd: join(folder, 'src'), env });
    for (const flags of [['-ldflags=-s -w'], ['-buildmode=pie'], []]) {
      run('go', ['build', ...flags, '-o', join(folder, 'app'), '.'], { cwd: join(folder, 'src'), env });
      run('tar', ['-cf', join(folder, 'app.tar'), '-C', folder, 'app']);
      const lines = run('go', ['version', '-m', join(folder, 'app')])
        .split('\n')
        .map((line) => line.trim().split('\t'));
      const known = lines.flatMap(([keyword, path, version, sum]) => (keyword === 'dep' ? [[path, version, sum]] : []));
      const { packages } = await inventoryOfTars(join(folder, 'app.tar'));
      const found = packages.map(({ namespace, name, version, checksums }) => [
        `${namespace ?? ''}/${name}`,
        version,
        checksums?.[0]?.value,
      ]);
      expect(found.filter(([path]) => path !== '/stdlib' && path !== 'example.com/app')).toEqual(known);
      expect(packages.some(({ purl }) => purl.startsWith('pkg:golang/stdlib@1.'))).toBe(true);
    }
  },
);
