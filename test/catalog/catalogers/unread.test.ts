import { describe, expect, test } from 'vitest';
import { unreadCataloger } from '../../../src/catalog/catalogers/unread.ts';
import { findingsOf } from '../../support/catalog-tester.ts';

describe('what no cataloger reads', () => {
  test.for([
    ['var/lib/rpm/rpmdb.sqlite', 'rpm package database'],
    ['usr/lib/sysimage/rpm/Packages.db', 'rpm package database'],
    ['opt/app/lib/log4j-core.jar', 'Java archive'],
    ['usr/lib/ruby/gems/3.1.0/specifications/rake-13.gemspec', 'Ruby gem specification'],
    ['opt/conda/conda-meta/zlib-1.2.json', 'conda package record'],
  ])('%s is an unknown, not nothing', async ([path = '', what = '']) => {
    const { unknowns } = await findingsOf(unreadCataloger, { [path]: 'x' });
    expect(unknowns).toMatchObject([{ path, cataloger: 'unread', reason: expect.stringContaining(what) as string }]);
  });

  test('is told once a kind, with how many there are', async () => {
    const { unknowns } = await findingsOf(unreadCataloger, { 'b/x.jar': 'x', 'a/y.jar': 'y', 'c/z.war': '' });
    expect(unknowns).toHaveLength(1);
    expect(unknowns[0]).toMatchObject({ path: 'a/y.jar', reason: expect.stringContaining('2 more') as string });
  });

  test('is not told of what is deleted again, or of other files', async () => {
    const { unknowns } = await findingsOf(
      unreadCataloger,
      { 'a/y.jar': 'y', 'etc/rpm/macros': '' },
      { 'a/.wh.y.jar': '' },
    );
    expect(unknowns).toEqual([]);
  });
});
