import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Where tools that are built for these tests are kept, outside the project. */
const TOOLS = process.env['BOLTSEAL_INTEROP_TOOLS'] ?? join(homedir(), '.cache/boltseal-interop');

export const TOOL_PATH = [TOOLS, process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);

export function hasTool(name: string): boolean {
  return (
    spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { env: { ...process.env, PATH: TOOL_PATH } }).status === 0
  );
}

/** The names that are missing, and a line on stderr that says which test they keep from running. */
export function missingTools(what: string, ...names: readonly string[]): boolean {
  const missing = names.filter((name) => !hasTool(name));
  if (missing.length > 0) process.stderr.write(`skipped: ${what}: ${missing.join(', ')} not installed\n`);
  return missing.length > 0;
}

export interface ToolResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runTool(
  name: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string>; readonly input?: string } = {},
): ToolResult {
  const { env, ...rest } = options;
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, PATH: TOOL_PATH, ...env },
    ...rest,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** Like runTool, and fails the test with the tool's own words when it does not end with 0. */
export function mustRun(name: string, args: readonly string[], options: Parameters<typeof runTool>[2] = {}): string {
  const { status, stdout, stderr } = runTool(name, args, options);
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${status}:\n${stderr}\n${stdout}`);
  return stdout;
}

/** Like runTool for a tool that talks to a server in this process, which has to go on answering meanwhile. */
export async function runToolBeside(
  name: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<ToolResult> {
  const env = { ...process.env, PATH: TOOL_PATH, ...options.env };
  const child = spawn(name, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [status]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}

interface ServerOptions {
  readonly port: number;
  readonly env?: Record<string, string>;
}

/** Starts a server and waits until its port answers. It is stopped when the test ends. */
export async function startServer(
  name: string,
  args: readonly string[],
  options: ServerOptions,
): Promise<ChildProcess> {
  const child = await launchServer(name, args, options);
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Like startServer, outside a test: whoever starts it stops it. */
export async function launchServer(
  name: string,
  args: readonly string[],
  options: ServerOptions,
): Promise<ChildProcess> {
  const child = spawn(name, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: TOOL_PATH, ...options.env },
  });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${said.join('')}`);
    if (await answers(options.port)) return child;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error(`${name} did not answer on port ${options.port}:\n${said.join('')}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    socket.once('error', () => resolve(false));
    socket.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'boltseal-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
