import { startUp } from './start-up.ts';

/** `npm run bench` runs them all, `npm run bench -- NAME` one. Prints ratios; asserts nothing. */
const BENCHMARKS: Readonly<Record<string, () => void | Promise<void>>> = { 'start-up': startUp };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const [name, run] of Object.entries(BENCHMARKS)) if (wanted.length === 0 || wanted.includes(name)) await run();
}
