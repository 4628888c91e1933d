import type { Command } from 'commander';
import { attachFiles } from '../actions/attach-files.ts';
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
    .argument('<file...>', 'the files to attach as one artifact; a folder is packed')
    .requiredOption('--artifact-type <type>', 'what kind of thing it is: application/vnd.example.report+json')
    .option('--media-type <type>', 'media type of the file', 'application/octet-stream')
    .option('-a, --annotation <key=value>', 'annotation of the artifact; may be given several times', collectPairs);
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, image, files, flags) =>
    attach(run, { image: image as string, paths: files as readonly string[] }, flags as AttachFlags),
  );
}

async function attach(
  run: Run,
  { image, paths }: { readonly image: string; readonly paths: readonly string[] },
  flags: AttachFlags,
): Promise<0> {
  const options = {
    registry: await readRegistryFlags(flags, run),
    files: paths.map((path) => ({ path, mediaType: flags.mediaType })),
    artifactType: flags.artifactType,
    annotations: flags.annotation ?? {},
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  run.terminal.stdout(attachView[flags.format](await attachFiles(image, options, run.context)));
  return 0;
}
