import { describe, expect, test } from 'vitest';
import { VERSION } from '../src/base/version.ts';
import { boltseal } from './support/cli.ts';

describe('the command line', () => {
  test('prints its version on stdout and nothing else', async () => {
    expect(await boltseal(['--version'])).toEqual({ exitCode: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test.each([[[]], [['--help']], [['help']]])('%j explains itself on stdout and ends with 0', async (argv) => {
    const { exitCode, stdout } = await boltseal(argv);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/seal .*SBOM[\s\S]*verify .*policy/);
  });

  test.each([[['help', 'verify']], [['verify', '--help']]])('%j explains one command', async (argv) => {
    const { exitCode, stdout } = await boltseal(argv);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('--policy');
  });

  test.each([
    ['an unknown command', ['sael', 'x']],
    ['an unknown flag', ['verify', '--polcy', 'p.yaml', 'x']],
    ['a missing argument', ['seal']],
    ['a missing required flag', ['verify', 'x']],
    ['a choice that is none', ['discover', 'x', '--format', 'xml']],
    ['flags that exclude each other', ['--quiet', '--verbose', 'discover', 'x']],
    ['a malformed reference', ['discover', 'UPPER/Case']],
    ['a malformed platform', ['sbom', 'x', '--platform', 'linux']],
  ])('%s is a usage error on stderr', async (_name, argv) => {
    const { exitCode, stdout, stderr } = await boltseal(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/\w/);
  });
});
