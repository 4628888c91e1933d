import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printTable, sideBySide } from './side-by-side.ts';

/** What `boltseal --version` costs over a Node that does nothing, from the sources and from each form of the build. */
export function startUp(): void {
  const empty = join(mkdtempSync(join(tmpdir(), 'boltseal-bench-')), 'empty.cjs');
  writeFileSync(empty, '');
  const node = process.execPath;
  printTable(
    'start-up: boltseal --version, median of 15',
    sideBySide(
      [
        { name: 'node empty.cjs', command: node, args: [empty] },
        { name: 'dist/boltseal.cjs (bundled, compile cache)', command: node, args: ['dist/boltseal.cjs', '--version'] },
        { name: 'dist/cli/main.cjs (bundled)', command: node, args: ['dist/cli/main.cjs', '--version'] },
        { name: 'dist/bin.js (modules)', command: node, args: ['dist/bin.js', '--version'] },
        { name: 'src/bin.ts (types stripped at start)', command: node, args: ['src/bin.ts', '--version'] },
      ],
      15,
    ),
  );
}
