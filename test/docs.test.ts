import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GENERATED } from '../scripts/generated-docs.ts';
import { COMMANDS } from '../src/commands/table.ts';

const cells = (row: string): string => row.replaceAll(/\\?\|/g, '|').replaceAll(/\s+/g, ' ').trim();

describe.each(GENERATED)('$file: $marker', ({ file, marker, rows }) => {
  test('is what the code says; scripts/docs.ts writes it', () => {
    const text = readFileSync(file, 'utf8');
    const part = text.slice(text.indexOf(`<!-- ${marker} -->`), text.indexOf(`<!-- /${marker} -->`));
    const written = part
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map(cells);
    expect(written).toEqual(rows.slice(2).map(cells));
  });
});

const shown = Object.entries(COMMANDS).flatMap(([name, { hidden = false }]) => (hidden ? [] : [name]));

test.each(shown)('the README has the command %s', (name) => {
  expect(readFileSync('README.md', 'utf8').includes(`\`boltseal ${name}`)).toBe(true);
});
