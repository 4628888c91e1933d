import type { Command } from 'commander';
import { BoltsealError } from '../base/errors.ts';
import { attachBundle } from '../actions/attach-bundle.ts';
import { attachFiles } from '../actions/attach-files.ts';
import { attachBundleView, attachView } from '../report/attach-view.ts';
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
  readonly artifactType?: string;
  readonly bundle?: string;
  readonly mediaType: string;
  readonly annotation?: Readonly<Record<string, string>>;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image>', 'the image to attach to')
    .argument('[file...]', 'the files to attach as one artifact; a folder is packed')
    .option('--artifact-type <type>', 'what kind of thing it is: application/vnd.example.report+json')
    .option('--bundle <file>', 'attach this Sigstore bundle, made elsewhere about the image, as sign and attest do')
    .option('--media-type <type>', 'media type of the file', 'application/octet-stream')
    .option('-a, --annotation <key=value>', 'annotation of the artifact; may be given several times', collectPairs);
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, image, files, flags) =>
    attach(run, { image: image as string, paths: files as readonly string[] }, flags as AttachFlags),
  );
}

interface Named {
  readonly image: string;
  readonly paths: readonly string[];
}

async function attach(run: Run, { image, paths }: Named, flags: AttachFlags): Promise<0> {
  const { artifactType, bundle, mediaType, annotation, format } = flags;
  checkOneKind(paths, flags);
  const options = {
    registry: await readRegistryFlags(flags, run),
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  if (bundle !== undefined) {
    const attached = await attachBundle(image, { ...options, bundleFile: bundle }, run.context);
    run.terminal.stdout(attachBundleView[format](attached));
    return 0;
  }
  const files = paths.map((path) => ({ path, mediaType }));
  const artifact = { files, artifactType: artifactType ?? '', annotations: annotation ?? {} };
  run.terminal.stdout(attachView[format](await attachFiles(image, { ...options, ...artifact }, run.context)));
  return 0;
}

/** A bundle says itself what it is, and files do not. @throws BoltsealError USAGE */
function checkOneKind(paths: readonly string[], { artifactType, bundle, annotation }: AttachFlags): void {
  if (bundle === undefined && (paths.length === 0 || artifactType === undefined || artifactType === ''))
    throw new BoltsealError('USAGE', 'nothing says what to attach', {
      hint: 'Give files and --artifact-type TYPE, or --bundle FILE.',
    });
  if (bundle !== undefined && (paths.length > 0 || (artifactType ?? annotation) !== undefined))
    throw new BoltsealError('USAGE', '--bundle is attached alone, and says itself what it is', {
      hint: 'Leave files, --artifact-type and --annotation out, or attach those with a second command.',
    });
}
