import type { Command } from 'commander';
import { bundleTrust, showTrust, updateTrust, verifyTrust, type TrustSummary } from '../actions/trust.ts';
import type { TufOptions } from '../actions/open-tuf-repository.ts';
import { COLORS, PLAIN } from '../report/style.ts';
import { trustView } from '../report/trust-view.ts';
import type { ExitCode, Register, Run } from './command.ts';
import { addFormatFlag, type OutputFormat } from './flags.ts';
import { addTrustFlags, readTrustFlags, type TrustFlags } from './trust-flags.ts';

interface FormatFlags {
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  const show = command
    .command('show')
    .description('list what is trusted: services, from when to when, fingerprints')
    .argument('[file]', 'trust bundle or trusted_root.json (default: what verify would use)');
  register(addFormatFlag(addTrustFlags(show)), async (run, file, flags) =>
    print(run, flags as FormatFlags, await showTrust(fileOf(run, file, flags as TrustFlags), run.context)),
  );
  defineBundle(command, register);
  const update = command
    .command('update')
    .description('get the current trust from a TUF repository, into one file that --trust reads')
    .requiredOption('-o, --output <file>', 'where to write it');
  register(addFormatFlag(addTufFlags(update)), async (run, flags) => {
    const { output, ...rest } = flags as TufFlags & FormatFlags & { readonly output: string };
    return print(run, rest, await updateTrust({ ...readTufFlags(rest), output }, run.context));
  });
  const verify = command
    .command('verify')
    .description('whether a file is what a TUF repository vouches for now')
    .argument('<file>', 'trust bundle or trusted_root.json')
    .option('--offline', 'ask only what is remembered from the last update');
  register(addFormatFlag(addTufFlags(verify)), async (run, file, flags) =>
    check(run, file as string, flags as TufFlags & FormatFlags & { readonly offline?: boolean }),
  );
}

interface BundleFlags extends FormatFlags {
  readonly trustedRoot?: string;
  readonly signingConfig?: string;
  readonly output: string;
}

function defineBundle(command: Command, register: Register): void {
  const bundle = command
    .command('bundle')
    .description('pack trusted root and signing config into one file that --trust reads')
    .option('--trusted-root <file>', 'trusted_root.json (default: the public-good instance’s, built in)')
    .option('--signing-config <file>', 'signing config v0.2')
    .requiredOption('-o, --output <file>', 'where to write it');
  register(addFormatFlag(bundle), async (run, values) => {
    const flags = values as BundleFlags;
    const { trustedRoot, signingConfig, output } = flags;
    const options = {
      output,
      ...(trustedRoot === undefined ? {} : { trustedRootFile: trustedRoot }),
      ...(signingConfig === undefined ? {} : { signingConfigFile: signingConfig }),
    };
    return print(run, flags, await bundleTrust(options, run.context));
  });
}

interface TufFlags {
  readonly mirror?: string;
  readonly root?: string;
  readonly cache?: string;
}

function addTufFlags(command: Command): Command {
  return command
    .option('--mirror <url>', 'TUF repository (default: the public-good instance’s)')
    .option('--root <file>', 'its root.json, to begin with (the public-good one is built in)')
    .option('--cache <folder>', 'where signed metadata is remembered (default: in your data folder)');
}

function readTufFlags({ mirror, root, cache }: TufFlags): TufOptions {
  return {
    ...(mirror === undefined ? {} : { mirrorUrl: mirror }),
    ...(root === undefined ? {} : { rootFile: root }),
    ...(cache === undefined ? {} : { cacheFolder: cache }),
  };
}

async function check(
  run: Run,
  file: string,
  flags: TufFlags & FormatFlags & { readonly offline?: boolean },
): Promise<ExitCode> {
  const offline = flags.offline === true;
  const result = await verifyTrust(file, { ...readTufFlags(flags), offline }, run.context);
  print(run, flags, result);
  return result.isCurrent ? 0 : 1;
}

function fileOf(run: Run, file: unknown, flags: TrustFlags): string | undefined {
  return typeof file === 'string' ? file : readTrustFlags(flags, run).trustedRootFile;
}

function print({ terminal }: Run, { format }: FormatFlags, summary: TrustSummary): 0 {
  terminal.stdout(trustView[format](summary, terminal.hasColors ? COLORS : PLAIN));
  return 0;
}
