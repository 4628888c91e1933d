import type { Command } from 'commander';
import type { NamedSigners } from '../actions/open-signers.ts';

/** cosign's flags for who must have signed. */
export interface SignerFlagValues extends Omit<NamedSigners, 'keyFiles'> {
  readonly key?: readonly string[];
}

const collect = (text: string, all: readonly string[] = []): readonly string[] => [...all, text];

export function addSignerFlags(command: Command): Command {
  return command
    .option(
      '--certificate-identity <name>',
      'who signed, exactly; may be given several times, and any will do',
      collect,
    )
    .option(
      '--certificate-identity-regexp <re2>',
      'who signed, as an RE2 expression that must match the whole name (anchored for you)',
      collect,
    )
    .option('--certificate-oidc-issuer <url>', 'who vouches for that identity, exactly')
    .option(
      '--certificate-oidc-issuer-regexp <re2>',
      'who vouches for it, as an RE2 expression that must match the whole URL (anchored for you)',
    )
    .option('--certificate-github-workflow-trigger <event>', 'the event that started the workflow: push, release …')
    .option('--certificate-github-workflow-sha <commit>', 'the commit the workflow ran at')
    .option('--certificate-github-workflow-name <name>', 'the name of the workflow')
    .option('--certificate-github-workflow-repository <owner/name>', 'the repository the workflow ran in')
    .option('--certificate-github-workflow-ref <ref>', 'the ref the workflow ran at: refs/heads/main')
    .option('--key <file>', 'public key that signed; may be given several times, and any will do', collect);
}

export function readSignerFlags({ key, ...flags }: SignerFlagValues): NamedSigners {
  const names = Object.keys(flags).filter((name) => name.startsWith('certificate')) as (keyof typeof flags)[];
  const asked = Object.fromEntries(names.map((name) => [name, flags[name]]));
  return { ...asked, ...(key === undefined ? {} : { keyFiles: key }) };
}
