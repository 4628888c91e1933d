import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A plugin that keeps its key in a variable and answers as the protocol has it. MODE makes it misbehave. */
const PLUGIN = `#!${process.execPath}
const { createPublicKey, sign } = require('node:crypto');
const { readFileSync } = require('node:fs');
const [version, json] = process.argv.slice(2);
const { initOptions, methodName, signMessage } = JSON.parse(json);
const { MODE, PLUGIN_KEY: key } = process.env;
const HASHES = { 5: 'sha256', 6: 'sha384', 7: 'sha512' };
const say = (answer) => process.stdout.write(JSON.stringify(answer));
process.stderr.write('touch the device\\n');
if (version !== 'v1' || initOptions.protocolVersion !== 'v1') say({ errorMessage: 'wrong version' });
else if (initOptions.keyResourceID !== 'slot/1') say({ errorMessage: 'no such key: ' + initOptions.keyResourceID });
else if (MODE === 'garbage') process.stdout.write('not json');
else if (MODE === 'flood') process.stdout.write('x'.repeat(1024 * 1024));
else if (MODE === 'crash') process.kill(process.pid, 'SIGTERM');
else if (methodName === 'publicKey') {
  const pem = createPublicKey(key).export({ format: 'pem', type: 'spki' });
  say({ publicKey: { publicKeyPEM: Buffer.from(pem).toString('base64') } });
} else {
  const message = readFileSync(0);
  const { digest } = signMessage.signOptions.messageOptions;
  const signed = MODE === 'digest-as-message' ? Buffer.from(digest, 'base64') : message;
  const signature = sign(digest === undefined ? null : HASHES[initOptions.hashFunc], signed, key);
  say({ signMessage: { signature: signature.toString('base64') } });
  process.exitCode = 1;
}
`;

/** Writes the plugin into a folder that is then put on the PATH; its keys are `test://slot/1`. */
export function writeKmsPlugin(folder: string): void {
  writeFileSync(join(folder, 'sigstore-kms-test'), PLUGIN);
  chmodSync(join(folder, 'sigstore-kms-test'), 0o700);
}
