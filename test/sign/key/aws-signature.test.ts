import { expect, test } from 'vitest';
import { signAwsRequest } from '../../../src/sign/key/aws-signature.ts';

/** AWS Signature Version 4 test suite: the credentials, time and scope of all its cases. */
const scope = {
  region: 'us-east-1',
  service: 'service',
  now: new Date('2015-08-30T12:36:00Z'),
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
};
const request = { url: new URL('https://example.amazonaws.com/'), headers: {}, body: '' };

test.each([
  ['GET', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['POST', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
] as const)('signs the plain %s of the test suite as it does', (method, signature) => {
  expect(signAwsRequest({ ...request, method }, scope)['authorization']).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
      `SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

test('signs the session token with the rest', () => {
  const credentials = { ...scope.credentials, sessionToken: 'a token' };
  const headers = signAwsRequest({ ...request, method: 'POST' }, { ...scope, credentials });
  expect(headers['x-amz-security-token']).toBe('a token');
  expect(headers['authorization']).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token');
});
