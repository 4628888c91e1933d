import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { TOOL_PATH } from '../support/tools.ts';

export interface Cost {
  readonly wallMs: number;
  /** User and system time together. */
  readonly cpuMs: number;
  /** The most memory it had at once; undefined where there is no /proc to read it from. */
  readonly peakRssBytes: number | undefined;
}

export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The shell counts the processor time of its children (POSIX `times`), which Node does not tell. */
const SCRIPT = '"$@" 3>&- & echo $! >&3; wait $!; code=$?; times >&3; exit $code';
const POLL_MS = 10;

/** Runs a program to its end while this process goes on serving. A program that fails is an error: there is nothing to compare. */
export async function measureProcess({ name, command, args, env }: Program): Promise<Cost> {
  const started = performance.now();
  const child = spawn('sh', ['-c', SCRIPT, 'sh', command, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: TOOL_PATH, ...env },
  });
  const report = child.stdio[3] as Readable;
  let peakRssBytes: number | undefined;
  let pid: number | undefined;
  report.once('data', (first: Buffer) => (pid = Number.parseInt(first.toString(), 10)));
  const poll = setInterval(() => (peakRssBytes = readPeak(pid) ?? peakRssBytes), POLL_MS);
  const [said, stderr, code] = await Promise.all([
    text(report),
    text(child.stderr as Readable),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  clearInterval(poll);
  const wallMs = performance.now() - started;
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${[command, ...args].join(' ')}\n${stderr}`);
  return { wallMs, cpuMs: childrenTimeMs(said), peakRssBytes };
}

/** VmHWM only grows, so that seeing it late is seeing it right. */
function readPeak(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** The last line of `times`: user and system time of the children, each as 0m0.123s. */
function childrenTimeMs(said: string): number {
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  return [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (total, [, minutes, seconds]) => total + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}
