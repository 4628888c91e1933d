import type { Command } from 'commander';
import { pullNamedArtifact } from '../actions/pull-artifact.ts';
import { pullView } from '../report/pull-view.ts';
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

interface PullFlags extends RegistryFlags, PlatformFlag {
  readonly artifactType?: string;
  readonly latest?: boolean;
  readonly output: string;
  readonly unpack: boolean;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<reference>', 'the artifact by its digest, or with --artifact-type the image it refers to')
    .option('--artifact-type <type>', 'the artifact of this type that refers to the image')
    .option('--latest', 'of several of this type, the youngest')
    .option('-o, --output <folder>', 'where the files go', '.')
    .option('--no-unpack', 'keep packed folders as archives');
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, reference, flags) => pull(run, reference as string, flags as PullFlags));
}

async function pull(run: Run, reference: string, flags: PullFlags): Promise<0> {
  const { artifactType, latest = false, output, unpack, platform } = flags;
  const options = {
    registry: await readRegistryFlags(flags, run),
    folder: output,
    latest,
    unpack,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform === undefined ? {} : { platform }),
  };
  run.terminal.stdout(pullView[flags.format](await pullNamedArtifact(reference, options, run.context)));
  return 0;
}
