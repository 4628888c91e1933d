import type { Command } from 'commander';
import { attestImage } from '../actions/attest-image.ts';
import { signView } from '../report/sign-view.ts';
import type { Register, Run } from './command.ts';
import {
  addFormatFlag,
  addPlatformFlag,
  addRegistryFlags,
  addOutputFlags,
  addRepeatFlags,
  addSigningFlags,
  readRegistryFlags,
  readOutputFlags,
  readRepeatFlags,
  readSigningFlags,
  type OutputFormat,
  type PlatformFlag,
  type RegistryFlags,
  type OutputFlags,
  type RepeatFlags,
  type SigningFlags,
} from './flags.ts';

interface AttestFlags extends RegistryFlags, SigningFlags, RepeatFlags, OutputFlags, PlatformFlag {
  readonly type?: string;
  readonly predicate: string;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image>', 'the image the statement is about')
    .option(
      '--type <type>',
      'predicate type: cyclonedx, spdxjson, slsaprovenance1, vuln, openvex, custom … or a URI (default: told from the predicate)',
    )
    .requiredOption('--predicate <file>', 'file that holds the predicate, - for standard input');
  addFormatFlag(addPlatformFlag(addRegistryFlags(addOutputFlags(addRepeatFlags(addSigningFlags(command))))));
  register(command, async (run, image, flags) => attest(run, image as string, flags as AttestFlags));
}

async function attest(run: Run, image: string, flags: AttestFlags): Promise<0> {
  const registry = await readRegistryFlags(flags, run);
  const predicate = flags.predicate === '-' ? { bytes: await run.terminal.readStdin() } : { file: flags.predicate };
  const options = {
    registry,
    signing: readSigningFlags(flags, run),
    ...readRepeatFlags(flags, run),
    ...readOutputFlags(flags),
    ...(flags.type === undefined ? {} : { type: flags.type }),
    predicate,
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  const result = await attestImage(image, options, run.context);
  run.terminal.stdout(signView[flags.format]([result]));
  return 0;
}
