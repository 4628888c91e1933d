import type { Command } from 'commander';
import type { RegistryAccess } from '../actions/open-image.ts';
import { BoltsealError } from '../base/errors.ts';
import type { Run } from './command.ts';

/** How a registry is reached: what every command that talks to one takes. */
export interface ConnectionFlags {
  readonly plainHttp?: boolean;
  readonly insecure?: boolean;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly registryConfig?: string;
}

export interface RegistryFlags extends ConnectionFlags {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly registryToken?: string;
}

export function addConnectionFlags(command: Command): Command {
  return addRegistryConfigFlag(command)
    .option('--plain-http', 'speak HTTP to this registry (loopback addresses need no flag)')
    .option('--insecure', 'take any TLS certificate of the registry')
    .option('--ca-file <file>', 'PEM file of CAs to trust beside the usual ones')
    .option('--cert-file <file>', 'PEM file of the certificate to show to the registry')
    .option('--key-file <file>', 'PEM file of the key of --cert-file');
}

export function addRegistryConfigFlag(command: Command): Command {
  return command.option(
    '--registry-config <file>',
    "credentials, as in Docker's config.json, instead of the usual places",
  );
}

export function addRegistryFlags(command: Command): Command {
  return addConnectionFlags(
    command
      .option('-u, --username <name>', 'user name for the registry')
      .option('--password-stdin', 'read the password for the registry from standard input')
      .option('--registry-token <token>', 'bearer token for the registry'),
  );
}

/** @throws BoltsealError USAGE */
export function readConnectionFlags(flags: ConnectionFlags): RegistryAccess {
  const { plainHttp = false, insecure = false, caFile, certFile, keyFile, registryConfig } = flags;
  if ((certFile === undefined) !== (keyFile === undefined)) throw usage('--cert-file and --key-file go together');
  const hasTls = insecure || caFile !== undefined || certFile !== undefined;
  if (plainHttp && hasTls) throw usage('--plain-http leaves nothing for --insecure, --ca-file and --cert-file to do');
  const tls = {
    ...(insecure ? { insecure } : {}),
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined || keyFile === undefined ? {} : { client: { certFile, keyFile } }),
  };
  return {
    ...(plainHttp ? { plainHttp } : {}),
    // Said about TLS, so TLS is meant: on this machine too, where plain HTTP would be spoken otherwise.
    ...(hasTls ? { tls, plainHttp: false } : {}),
    ...(registryConfig === undefined ? {} : { credentialFile: registryConfig }),
  };
}

/** @throws BoltsealError USAGE */
export async function readRegistryFlags(flags: RegistryFlags, run: Run): Promise<RegistryAccess> {
  const { username, passwordStdin = false, registryToken } = flags;
  const connection = readConnectionFlags(flags);
  if ((username !== undefined) !== passwordStdin) {
    throw new BoltsealError('USAGE', '--username and --password-stdin go together', {
      hint: 'Write: printf %s "$PASSWORD" | boltseal … --username NAME --password-stdin',
    });
  }
  if (registryToken !== undefined)
    return { ...connection, credential: { kind: 'registry-token', token: registryToken } };
  if (username === undefined) return connection;
  return { ...connection, credential: { kind: 'basic', username, password: await readPassword(run) } };
}

/** Standard input without the line break that `echo` puts at its end. */
export async function readPassword({ terminal }: Run): Promise<string> {
  return Buffer.from(await terminal.readStdin())
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

function usage(message: string): BoltsealError {
  return new BoltsealError('USAGE', message, { hint: 'See boltseal help COMMAND for what each flag does.' });
}
