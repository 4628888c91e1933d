import type { Command } from 'commander';
import { sealImages } from '../actions/seal-images.ts';
import { sealView } from '../report/seal-view.ts';
import type { Register, Run } from './command.ts';
import {
  addFormatFlag,
  addPlatformFlag,
  addRegistryFlags,
  addRepeatFlags,
  addSigningFlags,
  readRegistryFlags,
  readRepeatFlags,
  readSigningFlags,
  type OutputFormat,
  type PlatformFlag,
  type RegistryFlags,
  type RepeatFlags,
  type SigningFlags,
} from './flags.ts';

interface SealFlags extends RegistryFlags, SigningFlags, RepeatFlags, PlatformFlag {
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image...>', 'images to seal')
    .addHelpText(
      'after',
      '\nWrites the SBOM from the layers, signs the image, signs the SBOM as an attestation, and attaches both: the one line of a release pipeline.\n',
    );
  addFormatFlag(addPlatformFlag(addRegistryFlags(addRepeatFlags(addSigningFlags(command)))));
  register(command, async (run, images, flags) => seal(run, images as readonly string[], flags as SealFlags));
}

async function seal(run: Run, images: readonly string[], flags: SealFlags): Promise<0> {
  const registry = await readRegistryFlags(flags, run);
  const options = {
    registry,
    signing: readSigningFlags(flags, run),
    ...readRepeatFlags(flags, run),
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  run.terminal.stdout(sealView[flags.format](await sealImages(images, options, run.context)));
  return 0;
}
