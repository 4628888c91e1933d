import type { CommandModule } from './command.ts';

interface CommandEntry {
  readonly summary: string;
  /** Loaded only when it is the command that was asked for: start-up stays the price of one. */
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order of `--help`. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  seal: { summary: 'write the SBOM, sign the image and the SBOM, attach everything', load: () => import('./seal.ts') },
  verify: {
    summary: 'decide from policy files whether images may be deployed, and say why',
    load: () => import('./verify.ts'),
  },
  sbom: { summary: "write an image's SBOM from its layers", load: () => import('./sbom.ts') },
  sign: { summary: 'sign images', load: () => import('./sign.ts') },
  attest: { summary: 'sign a statement about an image', load: () => import('./attest.ts') },
  attach: { summary: 'attach a file to an image', load: () => import('./attach.ts') },
  discover: { summary: 'show what refers to an image (alias: tree)', load: () => import('./discover.ts') },
  registry: { summary: 'find out what a registry supports', load: () => import('./registry.ts') },
  sandbox: {
    summary: 'run a local registry and a local Sigstore to try things with',
    load: () => import('./sandbox.ts'),
  },
  demo: {
    summary: 'seal and verify a real image in the sandbox, and show tampering denied',
    load: () => import('./demo.ts'),
  },
};

export const ALIASES: Readonly<Record<string, string>> = { tree: 'discover' };
