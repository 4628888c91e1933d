import type { Command } from 'commander';
import { copyNamedImage, type CopyImageOptions } from '../actions/copy-image.ts';
import { BoltsealError } from '../base/errors.ts';
import { copyView } from '../report/copy-view.ts';
import type { Register, Run } from './command.ts';
import {
  addFormatFlag,
  addPlatformFlag,
  addRegistryFlags,
  readRegistryFlags,
  type OutputFormat,
  type PlatformFlag,
  type RegistryFlags,
} from './flags.ts';

interface CopyFlags extends RegistryFlags, PlatformFlag {
  readonly fromPlainHttp?: boolean;
  readonly tags?: readonly string[];
  readonly allTags?: boolean;
  readonly dryRun?: boolean;
  readonly referrers: boolean;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<source>', 'the image to copy: in a registry, a layout (oci:DIR:TAG) or an archive')
    .argument('<destination>', 'where to: a registry, or a layout, which is made when it is missing')
    .option('--tags <tags>', 'these tags of the source, each under its own name: 1.0,latest', splitTags)
    .option('--all-tags', 'every tag of the source')
    .option('--dry-run', 'say what would be copied, and write nothing')
    .option('--no-referrers', "leave behind what refers to the image, and cosign's tags")
    .option('--from-plain-http', 'speak HTTP to the registry of the source');
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, source, destination, flags) =>
    copy(run, { source: source as string, destination: destination as string }, flags as CopyFlags),
  );
}

async function copy(
  run: Run,
  { source, destination }: { readonly source: string; readonly destination: string },
  flags: CopyFlags,
): Promise<0> {
  const { tags, allTags = false, dryRun = false, platform, fromPlainHttp = false } = flags;
  if (tags !== undefined && allTags) {
    throw new BoltsealError('USAGE', '--tags and --all-tags exclude each other', { hint: 'Give one of them.' });
  }
  const options: CopyImageOptions = {
    registry: await readRegistryFlags(flags, run),
    dryRun,
    includeReferrers: flags.referrers,
    ...(fromPlainHttp ? { sourceRegistry: { plainHttp: true } } : {}),
    ...(allTags ? { tags: 'all' as const } : tags === undefined ? {} : { tags }),
    ...(platform === undefined ? {} : { platform }),
  };
  run.terminal.stdout(copyView[flags.format](await copyNamedImage(source, destination, options, run.context)));
  return 0;
}

/** A comma-separated list; the flag may be given several times. */
function splitTags(text: string, previous: readonly string[] = []): readonly string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  if (tags.every((tag) => /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(tag))) return [...previous, ...tags];
  throw new BoltsealError('USAGE', `"${text}" is not a list of tags`, { hint: 'Write it as --tags 1.0,latest.' });
}
