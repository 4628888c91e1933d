import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** Everything about the code that can be known without running it. Each step runs, so that one run names all problems. */
const STEPS: readonly (readonly [string, string, ...string[]])[] = [
  ['types', 'tsc', '-p', '.'],
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['unused code and exports', 'knip', '--no-progress', '--treat-config-hints-as-errors'],
  ['build', 'node', 'scripts/build.ts'],
  ['packaging', 'publint', '--strict'],
];

let failed = 0;
for (const [name, command, ...args] of STEPS) {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? '✓' : '✗'} ${name} (${seconds} s)`);
  if (status !== 0) failed += 1;
}
console.log(`check: ${STEPS.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
