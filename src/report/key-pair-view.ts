import type { WrittenKeyPair } from '../actions/key-pair.ts';
import { jsonDocument } from './json-view.ts';

export const keyPairView = {
  text: ({ algorithm, fingerprint, privateKeyFile, publicKeyFile }: WrittenKeyPair): string =>
    `private key  ${privateKeyFile}\npublic key   ${publicKeyFile}\n${algorithm}, ${fingerprint}\n`,
  json: (keyPair: WrittenKeyPair): string => jsonDocument('KeyPairResult', { keyPair }),
} as const;
