import type { Command } from 'commander';
import { signImages } from '../actions/sign-images.ts';
import { signView } from '../report/sign-view.ts';
import type { Register, Run } from './command.ts';
import {
  addFormatFlag,
  addRegistryFlags,
  addOutputFlags,
  addRepeatFlags,
  addSigningFlags,
  collectPairs,
  readRegistryFlags,
  readOutputFlags,
  readRepeatFlags,
  readSigningFlags,
  type OutputFormat,
  type RegistryFlags,
  type OutputFlags,
  type RepeatFlags,
  type SigningFlags,
} from './flags.ts';

interface SignFlags extends RegistryFlags, SigningFlags, RepeatFlags, OutputFlags {
  readonly annotation?: Readonly<Record<string, string>>;
  readonly recursive?: boolean;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image...>', 'images to sign; a tag is resolved once, and its digest is what is signed')
    .option(
      '-a, --annotation <key=value>',
      'say this in the signed statement; may be given several times',
      collectPairs,
    )
    .option('-r, --recursive', 'of an index, sign every image in it too');
  addFormatFlag(addRegistryFlags(addOutputFlags(addRepeatFlags(addSigningFlags(command)))));
  register(command, async (run, images, flags) => sign(run, images as readonly string[], flags as SignFlags));
}

async function sign(run: Run, images: readonly string[], flags: SignFlags): Promise<0> {
  const registry = await readRegistryFlags(flags, run);
  const options = {
    registry,
    signing: readSigningFlags(flags, run),
    ...readRepeatFlags(flags, run),
    ...readOutputFlags(flags),
    annotations: flags.annotation ?? {},
    recursive: flags.recursive === true,
  };
  const result = await signImages(images, options, run.context);
  run.terminal.stdout(signView[flags.format](result));
  return 0;
}
