import { describe, expect, test } from 'vitest';
import { openBox, sealBox } from '../../../src/sign/key/secret-box.ts';

/** Key of ones, nonce of twos, 64 threes: the vector that golang.org/x/crypto checks against NaCl's own. */
const key = Buffer.alloc(32, 1);
const nonce = Buffer.alloc(24, 2);
const message = Buffer.alloc(64, 3);
const box = Buffer.from(
  '8442bc313f4626f1359e3b50122b6ce6fe66ddfe7d39d14e637eb4fd5b45beadab55198df6ab5368439792a23c87db70acb6156dc5ef957ac04f6276cf6093b84be77ff0849cc33e34b7254d5a8f65ad',
  'hex',
);

describe("NaCl's secretbox", () => {
  test('seals as NaCl does', async () => {
    expect(await sealBox(message, { key, nonce })).toEqual(box);
  });

  test('opens what NaCl sealed', async () => {
    expect(await openBox(box, { key, nonce })).toEqual(message);
  });

  test.each([0, 15, 16, box.length - 1])('does not open a box whose byte %i was changed', async (at) => {
    const changed = Buffer.from(box);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(await openBox(changed, { key, nonce })).toBeUndefined();
  });

  test.each([0, 15, box.length - 1])('does not open the first %i bytes of a box', async (length) => {
    expect(await openBox(box.subarray(0, length), { key, nonce })).toBeUndefined();
  });

  test('does not open with another nonce', async () => {
    expect(await openBox(box, { key, nonce: Buffer.alloc(24, 4) })).toBeUndefined();
  });
});
