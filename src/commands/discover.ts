import type { Command } from 'commander';
import { discoverImage } from '../actions/discover-image.ts';
import { BoltsealError } from '../base/errors.ts';
import { discoverView } from '../report/discover-view.ts';
import type { Register, Run } from './command.ts';
import {
  addFormatFlag,
  addPlatformFlag,
  addRegistryFlags,
  collectPairs,
  readRegistryFlags,
  type OutputFormat,
  type PlatformFlag,
  type RegistryFlags,
} from './flags.ts';

interface DiscoverFlags extends RegistryFlags, PlatformFlag {
  readonly artifactType?: string;
  readonly annotation?: Readonly<Record<string, string>>;
  readonly depth?: number;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image>', 'the image or index whose referrers to show, with those of its images')
    .option('--artifact-type <type>', 'only what is of this type, and what leads to it')
    .option('-a, --annotation <key=value>', 'only what bears this annotation; may be given several times', collectPairs)
    .option('--depth <levels>', 'how far to follow what refers to what refers', readDepth);
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, image, flags) => discover(run, image as string, flags as DiscoverFlags));
}

async function discover(run: Run, image: string, flags: DiscoverFlags): Promise<0> {
  const { platform, depth, artifactType, annotation } = flags;
  const options = {
    registry: await readRegistryFlags(flags, run),
    filter: {
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotation === undefined ? {} : { annotations: annotation }),
    },
    ...(platform === undefined ? {} : { platform }),
    ...(depth === undefined ? {} : { depth }),
  };
  run.terminal.stdout(discoverView[flags.format](await discoverImage(image, options, run.context)));
  return 0;
}

/** @throws BoltsealError USAGE */
function readDepth(text: string): number {
  if (/^[1-9][0-9]?$/.test(text)) return Number(text);
  throw new BoltsealError('USAGE', `"${text}" is not a number of levels`, { hint: 'Write --depth 1, 2 and so on.' });
}
