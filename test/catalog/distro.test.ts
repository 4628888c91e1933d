import { describe, expect, test } from 'vitest';
import { distroQualifier, type Distro } from '../../src/catalog/distro.ts';
import { parseOsRelease } from '../../src/catalog/os-release.ts';

describe('os-release quoting', () => {
  test.for([
    ['A=plain-1.2_x', 'plain-1.2_x'],
    ['A="double quoted"', 'double quoted'],
    ['A=\'single "quoted"\'', 'single "quoted"'],
    ['A="esc \\"q\\" \\$x \\`y\\` \\\\"', 'esc "q" $x `y` \\'],
    ['A="not an \\n escape"', 'not an \\n escape'],
    ['A=first\nA=last', 'last'],
    ['# A=comment\nA=', ''],
  ])('%j', ([text = '', expected]) => {
    expect(parseOsRelease(text)).toEqual({ A: expected });
  });

  test.for(['A="unclosed', 'A=\'un"closed', 'A=two words', 'A=$(id)', 'just text', '=x', 'export A=1'])(
    'leaves out %j',
    (text) => {
      expect(parseOsRelease(text)).toEqual({});
    },
  );
});

test.for([
  [{ id: 'debian', versionId: '12' }, 'debian-12'],
  [{ id: 'debian', codename: 'sid' }, 'debian-sid'],
  [{ id: 'arch', buildId: 'rolling' }, 'arch-rolling'],
  [{ id: 'linux' }, 'linux'],
] as const)('names %o %s', ([distro, expected]) => {
  expect(distroQualifier(distro as unknown as Distro)).toBe(expected);
});
