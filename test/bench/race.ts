import { measureProcess, type Cost, type Program } from './measure-process.ts';
import type { DelayingProxy } from './delaying-proxy.ts';
import { median } from './side-by-side.ts';

export interface Racer {
  readonly name: string;
  /** What to run in this round; whatever the round needs is made ready here, outside the time. */
  readonly prepare: (round: number) => Program | Promise<Program>;
}

export interface Result extends Cost {
  readonly name: string;
  readonly requests: number;
  readonly connections: number;
}

interface RaceOptions {
  readonly runs: number;
  /** A round before those that count, to fill caches. */
  readonly warmUp?: boolean;
  readonly proxies?: readonly DelayingProxy[];
  readonly latencyMs?: number;
}

/** Medians of whole processes run in turn (A B A B …), so that a machine that drifts is fair to all. */
export async function race(racers: readonly Racer[], options: RaceOptions): Promise<readonly Result[]> {
  const { runs, warmUp = true, proxies = [], latencyMs = 0 } = options;
  const results = new Map(racers.map(({ name }): [string, Result[]] => [name, []]));
  for (let round = warmUp ? -1 : 0; round < runs; round += 1) {
    for (const { name, prepare } of racers) {
      const program = await prepare(round);
      for (const proxy of proxies) Object.assign(proxy, { latencyMs, requests: 0, connections: 0 });
      const cost = await measureProcess(program);
      const total = (key: 'requests' | 'connections'): number => proxies.reduce((sum, proxy) => sum + proxy[key], 0);
      const result = { name, ...cost, requests: total('requests'), connections: total('connections') };
      for (const proxy of proxies) proxy.latencyMs = 0;
      if (round >= 0) results.get(name)?.push(result);
    }
  }
  return [...results].map(([name, all]) => medianOf(name, all));
}

/** One row a racer: medians, and the wall time as a ratio to the first. */
export function printRace(title: string, results: readonly Result[]): void {
  console.log(`\n${title}`);
  const first = results[0]?.wallMs ?? Number.NaN;
  for (const { name, wallMs, cpuMs, peakRssBytes, requests, connections } of results) {
    const network = requests === 0 ? '' : `${requests} requests, ${connections} connections`;
    const memory = peakRssBytes === undefined ? '' : `${(peakRssBytes / 1e6).toFixed(0)} MB`;
    console.log(
      `  ${name.padEnd(34)} ${wallMs.toFixed(0).padStart(6)} ms  ×${(wallMs / first).toFixed(2)}  cpu ${cpuMs.toFixed(0).padStart(5)} ms  ${memory.padStart(7)}  ${network}`,
    );
  }
}

function medianOf(name: string, all: readonly Result[]): Result {
  const of = (read: (result: Result) => number): number => median(all.map(read));
  const peaks = all.flatMap(({ peakRssBytes }) => (peakRssBytes === undefined ? [] : [peakRssBytes]));
  return {
    name,
    wallMs: of(({ wallMs }) => wallMs),
    cpuMs: of(({ cpuMs }) => cpuMs),
    peakRssBytes: peaks.length === 0 ? undefined : median(peaks),
    requests: of(({ requests }) => requests),
    connections: of(({ connections }) => connections),
  };
}
