import type { CommandModule } from './command.ts';

interface CommandEntry {
  readonly summary: string;
  /** For a program that drives this one, not for people: not in the help. */
  readonly hidden?: true;
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
  'verify-blob': {
    summary: 'check a bundle against a file, or its digest, and who signed it',
    load: () => import('./verify-blob.ts'),
  },
  sbom: { summary: "write an image's SBOM from its layers", load: () => import('./sbom.ts') },
  sign: { summary: 'sign images', load: () => import('./sign.ts') },
  attest: { summary: 'sign a statement about an image', load: () => import('./attest.ts') },
  'sign-blob': { summary: 'sign a file as it is', load: () => import('./sign-blob.ts') },
  'attest-blob': { summary: 'sign a statement about a file', load: () => import('./attest-blob.ts') },
  'generate-key-pair': { summary: 'make a key to sign with', load: () => import('./generate-key-pair.ts') },
  'import-key-pair': { summary: 'take over a key made elsewhere', load: () => import('./import-key-pair.ts') },
  'public-key': { summary: 'print the public half of a key', load: () => import('./public-key.ts') },
  attach: { summary: 'attach a file to an image', load: () => import('./attach.ts') },
  discover: { summary: 'show what refers to an image (alias: tree)', load: () => import('./discover.ts') },
  pull: { summary: "bring an artifact's files back into a folder", load: () => import('./pull.ts') },
  detach: { summary: 'remove what was attached to an image', load: () => import('./detach.ts') },
  copy: { summary: 'copy an image with everything that refers to it', load: () => import('./copy.ts') },
  trust: {
    summary: 'show, pack and update whom you trust',
    load: () => import('./trust.ts'),
  },
  login: {
    summary: 'check the password for a registry, and keep it where Docker would',
    load: () => import('./login.ts'),
  },
  logout: { summary: 'forget the password for a registry', load: () => import('./logout.ts') },
  registry: { summary: 'find out what a registry supports', load: () => import('./registry.ts') },
  sandbox: {
    summary: 'run a local registry and a local Sigstore to try things with',
    load: () => import('./sandbox.ts'),
  },
  demo: {
    summary: 'seal and verify a real image in the sandbox, and show tampering denied',
    load: () => import('./demo.ts'),
  },
  conformance: {
    summary: 'the protocol of the Sigstore conformance suite',
    hidden: true,
    load: () => import('./conformance.ts'),
  },
};

export const ALIASES: Readonly<Record<string, string>> = { tree: 'discover' };
