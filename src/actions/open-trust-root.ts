import { LIMITS } from '../base/limits.ts';
import { publicGoodTrustRoot } from '../verify/public-good.ts';
import { loadTrustRoot, type TrustRoot } from '../verify/trust-root.ts';
import { readLocalFile } from './read-file.ts';

/** Whom to trust: a trusted_root.json, or the public-good instance's as this version has it built in. Never the network. @throws BoltsealError TRUST_ROOT_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE */
export async function openTrustRoot(file: string | undefined): Promise<TrustRoot> {
  return file === undefined
    ? publicGoodTrustRoot()
    : loadTrustRoot(await readLocalFile(file, 'the trusted root', LIMITS.trustRootBytes), file);
}
