import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { demoPolicyPath, makeDemoImage } from '../actions/demo/make-demo-image.ts';
import { pushAltered, pushWithBrokenBundle } from '../actions/demo/tamper.ts';
import { copyNamedImage } from '../actions/copy-image.ts';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { COLORS, PLAIN } from '../report/style.ts';
import { startSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import type { ExitCode, Register, Run } from './command.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
/** As policies/demo.yaml has it. */
const ISSUER = 'https://issuer.boltseal.example';
const STRANGER = 'https://stranger.example/build.yml@refs/heads/main';

export function define(command: Command, register: Register): void {
  command.argument('[image]', 'an image of yours instead of the one that is built on the spot');
  register(command, (run, image) => demo(run, image as string | undefined));
}

/** The demo is a script: every line it shows is run as typed, and an answer other than the expected one fails it. */
async function demo(run: Run, given: string | undefined): Promise<ExitCode> {
  await using cleanup = new AsyncDisposableStack();
  const workFolder = await mkdtemp(join(tmpdir(), 'boltseal-demo-'));
  cleanup.defer(() => rm(workFolder, { recursive: true, force: true }));
  const sandbox = cleanup.use(await startSandbox({ issuer: ISSUER }, run.context));
  const show = stage(run, sandbox);

  const source = given ?? (await makeDemoImage(workFolder, HERE, run.context));
  const image = `${sandbox.registry}/demo/app:1.0`;
  await copyNamedImage(source, image, { includeReferrers: false }, run.context);

  const policy = relative('', demoPolicyPath(HERE));
  const stranger = { ...sandbox.environment, SIGSTORE_ID_TOKEN: await sandbox.token({ sub: STRANGER }) };
  await show('Seal it: SBOM from the layers, signature, signed SBOM, all attached.', ['seal', image], 0);
  await show('What refers to it now:', ['discover', image], 0);
  await show('May it be deployed?', ['verify', image, '--policy', policy], 0);

  const foreign = `${sandbox.registry}/demo/foreign:1.0`;
  await copyNamedImage(image, foreign, { includeReferrers: false }, run.context);
  await show('The same image elsewhere, signed by somebody else:', ['sign', foreign], 0, stranger);
  await show('Their signature is valid, but it is not ours:', ['verify', foreign, '--policy', policy], 1);

  const broken = `${sandbox.registry}/demo/broken:1.0`;
  await pushWithBrokenBundle(image, broken, run.context);
  await show('Our seal, with one byte of each signature flipped:', ['verify', broken, '--policy', policy], 1);

  await pushAltered(image, run.context);
  await show('Somebody pushes other content to the sealed tag:', ['verify', image, '--policy', policy], 1);

  run.terminal.stdout('The seal held: what was ours was allowed, and the three tampered images were denied.\n');
  return 0;
}

type Show = (
  title: string,
  argv: readonly string[],
  expected: ExitCode,
  env?: Readonly<Record<string, string>>,
) => Promise<void>;

function stage({ terminal, context, invoke }: Run, sandbox: Sandbox): Show {
  const style = terminal.hasColors ? COLORS : PLAIN;
  return async (title, argv, expected, env = sandbox.environment) => {
    terminal.stdout(`\n${style.strong(title)}\n${style.faint(`$ boltseal ${argv.join(' ')}`)}\n`);
    const exitCode = await invoke(argv, worldOf(context, env));
    terminal.stdout(style.faint(`(exit code ${exitCode})\n`));
    if (exitCode !== expected) {
      throw new BoltsealError('INTERNAL', `the demo expected exit code ${expected} here`, {
        hint: 'Please report this with what is above.',
      });
    }
  };
}

function worldOf(context: Context, env: Readonly<Record<string, string>>): Context['env'] {
  return { ...context.env, ...env };
}
