import { describe, expect, test } from 'vitest';
import { BoltsealError } from '../../src/base/errors.ts';
import { wholeFile } from '../../src/catalog/file-sinks.ts';

const entry = (size: number) => ({ path: 'a', type: 'file', size, mode: 0o644 }) as const;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('a whole file', () => {
  test('is put together from its chunks, which may be reused', () => {
    const sink = wholeFile(entry(4), { maxBytes: 4, parse: text });
    const chunk = Buffer.from('ab');
    sink.write(chunk);
    chunk.write('cd');
    sink.write(chunk);
    expect(sink.end(true)).toEqual({ ok: true, record: 'abcd' });
  });

  test('is refused when its header says it is too large, without reading', () => {
    const sink = wholeFile(entry(5), { maxBytes: 4, parse: text });
    expect(sink.write(Buffer.from('a'))).toBe(false);
    expect(sink.end(false)).toMatchObject({ ok: false });
  });

  test('is refused when more comes than the header says', () => {
    const sink = wholeFile(entry(2), { maxBytes: 4, parse: text });
    expect(sink.write(Buffer.from('abcde'))).toBe(false);
    expect(sink.end(true)).toMatchObject({ ok: false });
  });

  test('is refused when it was not read to its end', () => {
    const sink = wholeFile(entry(4), { maxBytes: 4, parse: text });
    sink.write(Buffer.from('ab'));
    expect(sink.end(false)).toMatchObject({ ok: false, reason: 'the file was not read to its end' });
  });

  test('says what is wrong with it, but lets a bug be a bug', () => {
    const failing = (error: Error) =>
      wholeFile(entry(0), {
        maxBytes: 4,
        parse: () => {
          throw error;
        },
      });
    const wrong = new BoltsealError('JSON_INVALID', 'no JSON', { hint: 'Mend it.' });
    expect(failing(wrong).end(true)).toEqual({ ok: false, reason: 'no JSON' });
    expect(() => failing(new TypeError('bug')).end(true)).toThrow('bug');
  });
});
