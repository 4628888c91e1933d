import { spawn } from 'node:child_process';
import { platform } from 'node:os';
import type { Context } from '../../base/context.ts';

/** What opens an address, by `os.platform()`, as program and arguments before the address. No shell reads the address. */
const OPENERS: Readonly<Record<string, readonly [command: string, ...args: readonly string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
const OPENER_ELSEWHERE = ['xdg-open'] as const;

/** Opens the address in the person's browser where there is one. The address was shown before: not opening is no failure. */
export function openBrowser(address: URL, context: Context): void {
  const system = platform();
  if (!hasScreen(system, context.env)) return;
  const [command, ...args] = OPENERS[system] ?? OPENER_ELSEWHERE;
  const child = spawn(command, [...args, address.href], { env: context.env, stdio: 'ignore', detached: true });
  const say = (reason: string): void =>
    context.emit({ kind: 'detail', message: `no browser was opened: ${command} ${reason}` });
  child.on('error', () => say('is not there'));
  child.on('exit', (code) => {
    if (code !== 0) say('did not succeed');
  });
  child.unref();
}

/** Without a display, xdg-open starts a text browser or nothing. */
function hasScreen(system: string, env: Context['env']): boolean {
  if (system in OPENERS) return true;
  return [env['DISPLAY'], env['WAYLAND_DISPLAY']].some((display) => display !== undefined && display !== '');
}
