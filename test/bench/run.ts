import { memory } from './memory.ts';
import { readBenchCommand, type BenchOptions } from './options.ts';
import { registry } from './registry.ts';
import { sigstore } from './sigstore.ts';
import { startUp } from './start-up.ts';

/**
 * `npm run bench` runs them all, `npm run bench -- NAME` one. Prints ratios; asserts nothing. All but the first part of
 * start-up run what `npm run build` made.
 */
const BENCHMARKS: Readonly<Record<string, (options: BenchOptions) => void | Promise<void>>> = {
  'start-up': startUp,
  registry,
  sigstore,
  memory,
};

const { names, options } = readBenchCommand(process.argv.slice(2));
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const [name, run] of Object.entries(BENCHMARKS))
    if (names.length === 0 || names.includes(name)) await run(options);
}
