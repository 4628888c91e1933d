import type { Command } from 'commander';
import { attachFile } from '../actions/attach-file.ts';
import { attachView } from '../report/attach-view.ts';
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

interface AttachFlags extends RegistryFlags, PlatformFlag {
  readonly artifactType: string;
  readonly mediaType: string;
  readonly annotation?: Readonly<Record<string, string>>;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image>', 'the image to attach to')
    .argument('<file>', 'the file to attach')
    .requiredOption('--artifact-type <type>', 'what kind of thing it is: application/vnd.example.report+json')
    .option('--media-type <type>', 'media type of the file', 'application/octet-stream')
    .option('-a, --annotation <key=value>', 'annotation of the artifact; may be given several times', collectPairs);
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, image, file, flags) =>
    attach(run, { image: image as string, file: file as string }, flags as AttachFlags),
  );
}

async function attach(
  run: Run,
  { image, file }: { readonly image: string; readonly file: string },
  flags: AttachFlags,
): Promise<0> {
  const options = {
    registry: await readRegistryFlags(flags, run),
    file,
    artifactType: flags.artifactType,
    mediaType: flags.mediaType,
    annotations: flags.annotation ?? {},
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  run.terminal.stdout(attachView[flags.format](await attachFile(image, options, run.context)));
  return 0;
}
