import type { Command } from 'commander';
import { exitCodeOf, verifyImages } from '../actions/verify-images.ts';
import { COLORS, PLAIN } from '../report/style.ts';
import { verifyView } from '../report/verify-view.ts';
import type { ExitCode, Register, Run } from './command.ts';
import {
  addFormatFlag,
  addPlatformFlag,
  addRegistryFlags,
  readRegistryFlags,
  type OutputFormat,
  type PlatformFlag,
  type RegistryFlags,
} from './flags.ts';

interface VerifyFlags extends RegistryFlags, PlatformFlag {
  readonly policy: readonly string[];
  readonly trustedRoot?: string;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image...>', 'images to decide about; a tag is resolved once')
    .requiredOption('--policy <file>', 'policy file, or a folder of them; may be given several times', collect)
    .option(
      '--trusted-root <file>',
      'trusted_root.json (or BOLTSEAL_TRUSTED_ROOT; default: the public-good instance’s, built in)',
    )
    .addHelpText(
      'after',
      '\nExit code: 0 every image is allowed, 1 an image is denied, 3 it could not be found out. No policy for an image: denied.\n',
    );
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, images, flags) => verify(run, images as readonly string[], flags as VerifyFlags));
}

/** commander gives undefined the first time. */
function collect(path: string, all?: readonly string[]): readonly string[] {
  return [...(all ?? []), path];
}

async function verify(run: Run, images: readonly string[], flags: VerifyFlags): Promise<ExitCode> {
  const registry = await readRegistryFlags(flags, run);
  const trustedRootFile = flags.trustedRoot ?? run.context.env['BOLTSEAL_TRUSTED_ROOT'];
  const options = {
    registry,
    policyPaths: flags.policy,
    ...(trustedRootFile === undefined || trustedRootFile === '' ? {} : { trustedRootFile }),
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  const result = await verifyImages(images, options, run.context);
  run.terminal.stdout(verifyView[flags.format](result, run.terminal.hasColors ? COLORS : PLAIN));
  return exitCodeOf(result);
}
