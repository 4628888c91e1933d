import type { Command } from 'commander';
import { generateBom } from '../actions/generate-bom.ts';
import { writeLocalFile } from '../actions/write-file.ts';
import { BoltsealError } from '../base/errors.ts';
import { sbomSummary } from '../report/sbom-view.ts';
import type { Register, Run } from './command.ts';
import {
  addPlatformFlag,
  addRegistryFlags,
  readRegistryFlags,
  type PlatformFlag,
  type RegistryFlags,
} from './flags.ts';

interface SbomFlags extends RegistryFlags, PlatformFlag {
  readonly output?: readonly Output[];
}

interface Output {
  readonly format: string;
  /** Absent for stdout. */
  readonly file?: string;
}

const DEFAULT_OUTPUTS: readonly Output[] = [{ format: 'cyclonedx-json' }];
const FORMATS: readonly string[] = ['cyclonedx-json'];

export function define(command: Command, register: Register): void {
  command
    .argument(
      '<image>',
      'registry/repository:tag, oci:DIR, oci-archive:FILE, docker-archive:FILE, docker:NAME, podman:NAME, dir:PATH, or a path',
    )
    .option(
      '-o, --output <format[=file]>',
      `what to write and where: ${FORMATS.join(', ')} (default: cyclonedx-json on stdout)`,
      collectOutputs,
    )
    .addHelpText(
      'after',
      '\nThe same image, options and version give the same bytes. What could not be read is in the SBOM, not left out.\n',
    );
  addRegistryFlags(addPlatformFlag(command));
  register(command, async (run, image, flags) => writeSbom(run, image as string, flags as SbomFlags));
}

async function writeSbom(run: Run, image: string, flags: SbomFlags): Promise<0> {
  const registry = await readRegistryFlags(flags, run);
  const bom = await generateBom(
    image,
    { registry, ...(flags.platform === undefined ? {} : { platform: flags.platform }) },
    run.context,
  );
  for (const { file } of flags.output ?? DEFAULT_OUTPUTS) {
    if (file === undefined) run.terminal.stdout(Buffer.from(bom.bytes).toString('utf8'));
    else await writeLocalFile(file, bom.bytes);
  }
  run.context.emit({ kind: 'step', message: sbomSummary(bom) });
  return 0;
}

function collectOutputs(text: string, previous: readonly Output[] = []): readonly Output[] {
  const [format = '', file] = text.split(/=(.*)/s);
  if (!FORMATS.includes(format)) {
    throw new BoltsealError('USAGE', `"${format}" is not an SBOM format`, {
      hint: `Formats: ${FORMATS.join(', ')}. Write -o FORMAT or -o FORMAT=FILE.`,
    });
  }
  return [...previous, { format, ...(file === undefined || file === '' ? {} : { file }) }];
}
