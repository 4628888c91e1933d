import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

export interface Contender {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Median wall time of whole processes in ms, in turn (A B A B …), so that a machine that drifts is fair to all. */
export function sideBySide(contenders: readonly Contender[], runs: number): ReadonlyMap<string, number> {
  const times = new Map(contenders.map(({ name }): [string, number[]] => [name, []]));
  for (let run = -1; run < runs; run += 1) {
    for (const { name, command, args, env } of contenders) {
      const started = performance.now();
      const { status, stderr, error } = spawnSync(command, args, {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, ...env },
      });
      if (status !== 0) throw error ?? new Error(`${name} ended with ${status}: ${stderr.toString()}`);
      if (run >= 0) times.get(name)?.push(performance.now() - started);
    }
  }
  return new Map([...times].map(([name, all]) => [name, median(all)]));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Rows of name, median and the ratio to the first row. */
export function printTable(title: string, medians: ReadonlyMap<string, number>): void {
  const [[, floor] = ['', Number.NaN]] = medians;
  console.log(`\n${title}`);
  for (const [name, ms] of medians)
    console.log(`  ${name.padEnd(44)} ${ms.toFixed(0).padStart(6)} ms  ×${(ms / floor).toFixed(2)}`);
}
