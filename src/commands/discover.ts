import type { Command } from 'commander';
import { discoverImage } from '../actions/discover-image.ts';
import { discoverView } from '../report/discover-view.ts';
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

interface DiscoverFlags extends RegistryFlags, PlatformFlag {
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command.argument('<image>', 'the image whose referrers to show');
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, image, flags) => discover(run, image as string, flags as DiscoverFlags));
}

async function discover(run: Run, image: string, flags: DiscoverFlags): Promise<0> {
  const registry = await readRegistryFlags(flags, run);
  const result = await discoverImage(
    image,
    { registry, ...(flags.platform === undefined ? {} : { platform: flags.platform }) },
    run.context,
  );
  run.terminal.stdout(discoverView[flags.format](result));
  return 0;
}
