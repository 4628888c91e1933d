import type { Command } from 'commander';
import { exitCodeOf, verifyImages, type CommandLinePolicy } from '../actions/verify-images.ts';
import { COLORS, PLAIN } from '../report/style.ts';
import { verifyView } from '../report/verify-view.ts';
import { BoltsealError } from '../base/errors.ts';
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
import { addSignerFlags, readSignerFlags, type SignerFlagValues } from './signer-flags.ts';
import { addTrustFlags, readTrustFlags, type TrustFlags } from './trust-flags.ts';

interface VerifyFlags extends RegistryFlags, PlatformFlag, SignerFlagValues, TrustFlags {
  readonly policy?: readonly string[];
  readonly type?: string;
  readonly insecureIgnoreTlog?: boolean;
  readonly legacy?: boolean;
  readonly as?: string;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image...>', 'images to decide about; a tag is resolved once')
    .option('--policy <file>', 'policy file, or a folder of them; may be given several times', collect)
    .addHelpText(
      'after',
      '\nExit code: 0 every image is allowed, 1 an image is denied, 3 it could not be found out. No policy for an image: denied.\n',
    );
  addSignerFlags(command)
    .option('--type <type>', 'without a policy: ask for an attestation of this type instead of a signature')
    .option(
      '--insecure-ignore-tlog',
      'without a policy: accept what is signed with --key though no log has it and nothing proves when',
    )
    .option('--legacy', 'look for .sig and .att tags too (default: only where the bundles satisfy no policy)')
    .option('--no-legacy', 'do not look for them at all')
    .option('--as <repository>', 'judge an image from a layout or archive under this name: registry/repository');
  addTrustFlags(command);
  addFormatFlag(addPlatformFlag(addRegistryFlags(command)));
  register(command, async (run, images, flags) => verify(run, images as readonly string[], flags as VerifyFlags));
}

/** commander gives undefined the first time. */
function collect(path: string, all?: readonly string[]): readonly string[] {
  return [...(all ?? []), path];
}

async function verify(run: Run, images: readonly string[], flags: VerifyFlags): Promise<ExitCode> {
  const options = {
    registry: await readRegistryFlags(flags, run),
    policyPaths: flags.policy ?? [],
    ...(flags.policy === undefined ? { commandLine: commandLine(flags) } : {}),
    ...readTrustFlags(flags, run),
    ...(flags.legacy === undefined ? {} : { legacy: flags.legacy }),
    ...(flags.as === undefined ? {} : { judgedAs: flags.as }),
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  checkOneOf(flags);
  const result = await verifyImages(images, options, run.context);
  run.terminal.stdout(verifyView[flags.format](result, run.terminal.hasColors ? COLORS : PLAIN));
  return exitCodeOf(result);
}

function commandLine(flags: VerifyFlags): CommandLinePolicy {
  return {
    signers: readSignerFlags(flags),
    allowUnloggedKeys: flags.insecureIgnoreTlog === true,
    ...(flags.type === undefined ? {} : { type: flags.type }),
  };
}

/** A flag that a policy file would not heed must not look as if it did. @throws BoltsealError USAGE */
function checkOneOf(flags: VerifyFlags): void {
  const { policy, type, insecureIgnoreTlog } = flags;
  const asked = [...Object.keys(readSignerFlags(flags)), ...(type === undefined ? [] : ['type'])];
  const others = insecureIgnoreTlog === true ? [...asked, 'insecureIgnoreTlog'] : asked;
  if (policy === undefined && asked.length === 0)
    throw new BoltsealError('USAGE', 'nothing says who must have signed', {
      hint: 'Give --policy FILE, or --certificate-identity with --certificate-oidc-issuer, or --key.',
    });
  if (policy !== undefined && others.length > 0)
    throw new BoltsealError(
      'USAGE',
      `--policy says who must have signed, and so do other flags (${others.join(', ')})`,
      {
        hint: 'Write signers and types into the policy, or leave the policy out.',
      },
    );
}
