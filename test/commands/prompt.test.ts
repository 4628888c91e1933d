import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openPrompt } from '../../src/commands/prompt.ts';
import { codeOf } from '../support/open-registry.ts';

test.each([
  [true, 'Password: \n'],
  [false, expect.stringContaining('secret')],
])('a question is answered with a line; hidden: %s', async (hidden, shown) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const answer = openPrompt(input, output, new AbortController().signal)('Password: ', { hidden });
  input.write('secret\r');
  expect(await answer).toBe('secret');
  output.end();
  expect(await text(output)).toEqual(shown);
});

test.each([
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
])('%s is no answer', async (_, key) => {
  const input = new PassThrough();
  const answer = openPrompt(input, new PassThrough(), new AbortController().signal)('Password: ', { hidden: true });
  input.write(key);
  expect(await codeOf(answer)).toBe('INTERRUPTED');
});

test('an interrupted run does not wait for an answer', async () => {
  const interrupt = new AbortController();
  const answer = openPrompt(new PassThrough(), new PassThrough(), interrupt.signal)('Password: ', { hidden: true });
  interrupt.abort();
  expect(await codeOf(answer)).toBe('INTERRUPTED');
});
