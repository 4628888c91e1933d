import type { Command } from 'commander';
import { FEATURES, probeRegistry } from '../actions/probe-registry.ts';
import { probeView } from '../report/probe-view.ts';
import type { Register, Run } from './command.ts';
import { addFormatFlag, addRegistryFlags, readRegistryFlags, type OutputFormat, type RegistryFlags } from './flags.ts';

interface ProbeFlags extends RegistryFlags {
  readonly format: OutputFormat;
  readonly allowLeftovers?: boolean;
}

export function define(command: Command, register: Register): void {
  const probe = command
    .command('probe')
    .description('find out what a registry supports: referrers, deletion, mounts, chunks, digests, conditions')
    .argument('<host/repository>', 'a repository that exists and that you may push to')
    .option('--allow-leftovers', 'push what is needed although it cannot be removed again')
    .addHelpText(
      'after',
      '\nEverything it pushes is tiny and removed again, also on Ctrl-C. Where that cannot be done, it pushes nothing.\n',
    );
  addFormatFlag(addRegistryFlags(probe));
  register(probe, async (run, name, flags) => runProbe(run, name as string, flags as ProbeFlags));
}

async function runProbe(run: Run, name: string, flags: ProbeFlags): Promise<0> {
  const access = await readRegistryFlags(flags, run);
  const report = await probeRegistry(name, { ...access, allowLeftovers: flags.allowLeftovers ?? false }, run.context);
  run.terminal.stdout(flags.format === 'json' ? probeView.json(report) : probeView.text(report, FEATURES));
  return 0;
}
