import type { Command } from 'commander';
import { detachArtifact } from '../actions/detach-artifact.ts';
import { parseDigest, type Digest } from '../oci/digest.ts';
import { detachView } from '../report/detach-view.ts';
import type { Register, Run } from './command.ts';
import { addFormatFlag, addRegistryFlags, readRegistryFlags, type OutputFormat, type RegistryFlags } from './flags.ts';

interface DetachFlags extends RegistryFlags {
  readonly recursive?: boolean;
  readonly format: OutputFormat;
}

export function define(command: Command, register: Register): void {
  command
    .argument('<image>', 'the image, or any name in its repository')
    .argument('<digest>', 'digest of the artifact to remove, as "discover" shows it', parseDigest)
    .option('-r, --recursive', 'also what refers to the artifact itself');
  addFormatFlag(addRegistryFlags(command));
  register(command, async (run, image, digest, flags) =>
    detach(run, { image: image as string, referrer: digest as Digest }, flags as DetachFlags),
  );
}

async function detach(
  run: Run,
  { image, referrer }: { readonly image: string; readonly referrer: Digest },
  flags: DetachFlags,
): Promise<0> {
  const registry = await readRegistryFlags(flags, run);
  const options = { registry, referrer, recursive: flags.recursive ?? false };
  run.terminal.stdout(detachView[flags.format](await detachArtifact(image, options, run.context)));
  return 0;
}
