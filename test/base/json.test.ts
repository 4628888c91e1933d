import { describe, expect, test } from 'vitest';
import { parseJson } from '../../src/base/json.ts';

const read = (text: string | Uint8Array, maxDepth = 10): unknown =>
  parseJson(text, { what: 'the test document', maxBytes: 1000, maxDepth });

describe('parseJson', () => {
  test('reads what RFC 8259 allows', () => {
    expect(read(' {"a": [1, -2.5e3, "x\\"y\\\\", null, true], "b": {"a": "a:b"}} ')).toEqual({
      a: [1, -2500, 'x"y\\', null, true],
      b: { a: 'a:b' },
    });
  });

  test('accepts one key in two objects, and refuses it twice in one', () => {
    expect(read('[{"a":1},{"a":2}]')).toEqual([{ a: 1 }, { a: 2 }]);
    expect(() => read('{"a":1,"a":2}')).toThrowError(
      expect.objectContaining({ code: 'JSON_INVALID', message: expect.stringContaining('"a"') }),
    );
  });

  test('sees through escapes when it compares keys', () => {
    expect(() => read('{"digest":1,"di\\u0067est":2}')).toThrowError(expect.objectContaining({ code: 'JSON_INVALID' }));
  });

  test('does not take a value for a key', () => {
    expect(read('{"a":"b","b":"a"}')).toEqual({ a: 'b', b: 'a' });
    expect(read('["a","a"]')).toEqual(['a', 'a']);
  });

  test('finds a repeated key behind a nested object', () => {
    expect(() => read('{"a":{"x":[{"a":1}]},"b":2,"a":3}')).toThrowError(/twice/);
  });

  test('refuses a __proto__ key, however it is spelt', () => {
    expect(() => read('{"__proto__":{}}')).toThrowError(/__proto__/);
    expect(() => read('{"\\u005f_proto__":{}}')).toThrowError(/__proto__/);
  });

  test('accepts nesting at the limit and refuses one level more', () => {
    expect(read('[[[1]]]', 3)).toEqual([[[1]]]);
    expect(() => read('[[[[1]]]]', 3)).toThrowError(/deeper than 3/);
  });

  test('accepts a document at the size limit and refuses one byte more', () => {
    expect(read(`"${'x'.repeat(998)}"`)).toHaveLength(998);
    expect(() => read(`"${'x'.repeat(999)}"`)).toThrowError(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });

  test.each(['', '{', '{"a":1}x', "{'a':1}", '[1,]', 'NaN', '01', '{"a"'])('refuses %j', (text) => {
    expect(() => read(text)).toThrowError(expect.objectContaining({ code: 'JSON_INVALID' }));
  });

  test('refuses bytes that are not UTF-8', () => {
    expect(() => read(Uint8Array.of(0x22, 0xff, 0x22))).toThrowError(expect.objectContaining({ code: 'JSON_INVALID' }));
  });
});
