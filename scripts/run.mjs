// Makes sure that what the lockfile says is installed, then runs a command of the project on the project's own Node.
// Plain JavaScript without dependencies: it runs on whatever Node (18 or newer) the machine has, before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.boltseal-lockfile');
const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

function lockfileHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function isInstalled() {
  return existsSync(stamp) && existsSync(node) && readFileSync(stamp, 'utf8') === lockfileHash();
}

function must(result, what) {
  if (result.status === 0) return;
  console.error(`boltseal: ${what} failed. Its own message is above; mend that and run this command again.`);
  process.exit(result.status ?? 1);
}

function install() {
  console.error('boltseal: installing what package-lock.json names (npm ci) …');
  const quiet = { npm_config_fund: 'false', npm_config_audit: 'false', npm_config_update_notifier: 'false' };
  const options = {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
    env: { ...process.env, ...quiet },
  };
  must(spawnSync('npm', ['ci', '--no-progress', '--loglevel=error'], options), 'npm ci');
  // With install scripts switched off, the package that brings Node has not put it in its place yet.
  if (!existsSync(node))
    must(
      spawnSync(process.execPath, ['installArchSpecificPackage'], { ...options, cwd: join(modules, 'node') }),
      'installing Node',
    );
  writeFileSync(stamp, lockfileHash());
}

if (!isInstalled()) install();

const [command = '', ...args] = process.argv.slice(2);
const isScript = /\.m?[jt]s$/.test(command);
const program = isScript ? [join(root, command)] : [join(modules, '.bin', command)];
const bin = join(modules, '.bin');
const child = spawn(node, [...program, ...args], {
  stdio: 'inherit',
  cwd: isScript ? (process.env['INIT_CWD'] ?? process.cwd()) : root,
  env: { ...process.env, PATH: [join(modules, 'node', 'bin'), bin, process.env['PATH'] ?? ''].join(delimiter) },
});
// The terminal sends Ctrl-C to the whole group; the child decides what to do with it, and we report how it ended.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => signal === 'SIGINT' || child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
