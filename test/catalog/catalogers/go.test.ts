import { describe, expect, test } from 'vitest';
import { mainVersion, parseBuildInfo } from '../../../src/catalog/catalogers/go/build-info.ts';
import { goCataloger } from '../../../src/catalog/catalogers/go/go.ts';
import { goSink } from '../../../src/catalog/catalogers/go/go-sink.ts';
import { edgesOf, findingsOf } from '../../support/catalog-tester.ts';

const ELF = Buffer.from('7f454c46020101000000000000000000', 'hex');
const MAGIC = Buffer.from('ff20476f206275696c64696e663a', 'hex');
const START = Buffer.from('3077af0c9274080241e1c107e6d618e6', 'hex');
const END = Buffer.from('f932433186182072008242104116d8f2', 'hex');

const MODULES = `path\texample.com/cmd/app
mod\texample.com/app\t(devel)\t
dep\tgithub.com/Azure/sdk\tv1.2.0\th1:abc=
dep\tgolang.org/x/text\tv0.3.0\th1:old=
=>\tgolang.org/x/text\tv0.14.0\th1:new=
dep\texample.com/local\tv0.0.0
=>\t../local\t(devel)\t
build\t-buildmode=exe
build\tvcs.revision=0123456789abcdef0123456789abcdef01234567
build\tvcs.time=2024-02-03T04:05:06Z
`;

const marked = (text: string): Buffer => Buffer.concat([START, Buffer.from(text), END]);

function varint(value: number): Buffer {
  return value < 0x80
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value & 0x7f) | 0x80]), varint(value >> 7)]);
}

/** What the linker of Go 1.18 and later writes. */
function inlineBlob(version: string, modules = MODULES): Buffer {
  const strings = [Buffer.from(version), marked(modules)].flatMap((text) => [varint(text.length), text]);
  return Buffer.concat([MAGIC, Buffer.from([8, 2]), Buffer.alloc(16), ...strings]);
}

const binary = (...parts: readonly Buffer[]): Buffer => {
  const whole = Buffer.concat([ELF, ...parts]);
  return Buffer.concat([whole, Buffer.alloc(Math.max(0, 70_000 - whole.length))]);
};

describe('packages', () => {
  test('are the main module, what is linked into it, and the standard library', async () => {
    const inventory = await findingsOf(goCataloger, {
      'usr/bin/app': binary(Buffer.alloc(4096), inlineBlob('go1.22.1')),
    });
    expect(inventory.packages.map(({ purl }) => purl)).toEqual([
      'pkg:golang/example.com/app@v0.0.0-20240203040506-0123456789ab',
      'pkg:golang/example.com/local',
      'pkg:golang/github.com/azure/sdk@v1.2.0',
      'pkg:golang/golang.org/x/text@v0.14.0',
      'pkg:golang/stdlib@1.22.1',
    ]);
    expect(inventory.packages[3]).toMatchObject({
      name: 'text',
      namespace: 'golang.org/x',
      checksums: [{ scheme: 'go-h1', value: 'h1:new=' }],
      technique: 'binary-analysis',
      evidence: [{ path: 'usr/bin/app' }],
    });
    expect(edgesOf(inventory)).toHaveLength(4);
    expect(inventory.completeTypes).toEqual([]);
  });

  test('of one module linked into two binaries are one, with both as evidence', async () => {
    const file = binary(inlineBlob('go1.22.1'));
    const { packages } = await findingsOf(goCataloger, { 'b/x': file }, { 'a/y': file });
    expect(packages.every(({ evidence, layer }) => evidence.length === 2 && layer.index === 0)).toBe(true);
  });

  test('do not come of magic bytes that nothing whole follows', async () => {
    const decoy = Buffer.concat([MAGIC, Buffer.from([8, 2]), Buffer.alloc(112, 'x')]);
    const { packages, unknowns } = await findingsOf(goCataloger, { 'bin/reader': binary(decoy) });
    expect([packages, unknowns]).toEqual([[], []]);
    const both = await findingsOf(goCataloger, { 'bin/reader': binary(decoy, inlineBlob('go1.21.0')) });
    expect(both.packages).toHaveLength(5);
  });

  test('do not come of a whole copy that does not stand where the linker puts it', async () => {
    const copy = Buffer.concat([Buffer.from('text'), inlineBlob('go1.2.3')]);
    expect((await findingsOf(goCataloger, { 'bin/tester': binary(copy) })).packages).toEqual([]);
  });

  test('do not come of files that are no executables', async () => {
    const text = Buffer.concat([Buffer.from('#!/bin/sh\n      '), binary(inlineBlob('go1.22.1'))]);
    expect((await findingsOf(goCataloger, { 'bin/script': text })).packages).toEqual([]);
  });

  test('without module information leave an unknown beside the Go version', async () => {
    const { packages, unknowns } = await findingsOf(goCataloger, { 'bin/old': binary(inlineBlob('go1.20', '')) });
    expect(packages.map(({ purl }) => purl)).toEqual(['pkg:golang/stdlib@1.20']);
    expect(unknowns).toMatchObject([{ path: 'bin/old', cataloger: 'go' }]);
  });
});

describe('binaries of Go before 1.18', () => {
  /** One loadable segment that maps the file at 0x400000, and string headers the magic points to. */
  function pointerBinary(): Buffer {
    const file = Buffer.alloc(70_000);
    ELF.copy(file);
    const address = (offset: number): bigint => BigInt(0x400000 + offset);
    file.writeBigUInt64LE(64n, 32);
    file.writeUInt16LE(56, 54);
    file.writeUInt16LE(1, 56);
    file.writeUInt32LE(1, 64);
    file.writeBigUInt64LE(0n, 72);
    file.writeBigUInt64LE(address(0), 80);
    file.writeBigUInt64LE(BigInt(file.length), 96);
    MAGIC.copy(file, 0x400);
    file.writeUInt8(8, 0x40e);
    const put = (header: number, text: Buffer, at: number): void => {
      file.writeBigUInt64LE(address(at), header);
      file.writeBigUInt64LE(BigInt(text.length), header + 8);
      text.copy(file, at);
    };
    file.writeBigUInt64LE(address(0x500), 0x410);
    file.writeBigUInt64LE(address(0x520), 0x418);
    put(0x500, Buffer.from('go1.16.5'), 0x600);
    put(0x520, marked(MODULES), 0x700);
    return file;
  }

  test('are read through their pointers', async () => {
    const { packages } = await findingsOf(goCataloger, { 'bin/old': pointerBinary() });
    expect(packages).toHaveLength(5);
    expect(packages.at(-1)?.purl).toBe('pkg:golang/stdlib@1.16.5');
  });

  test('are reported when the pointers lead nowhere', async () => {
    const file = pointerBinary();
    file.writeBigUInt64LE(0xffffffffffffn, 0x410);
    const { packages, unknowns } = await findingsOf(goCataloger, { 'bin/old': file });
    expect(packages).toEqual([]);
    expect(unknowns).toMatchObject([{ path: 'bin/old', reason: expect.stringContaining('before Go 1.18') as string }]);
  });
});

test('a binary too large to keep is searched as it streams past', () => {
  const entry = { path: 'bin/huge', type: 'file', size: 300 * 1024 * 1024, mode: 0o755 } as const;
  const sink = goSink(entry);
  const zeros = Buffer.alloc(1024 * 1024);
  sink.write(ELF);
  for (let at = 0; at < 40; at += 1) sink.write(zeros);
  sink.write(inlineBlob('go1.23.4'));
  for (let at = 0; at < 40 && sink.write(zeros); at += 1);
  expect(sink.end(false)).toMatchObject({ ok: true, record: { goVersion: 'go1.23.4' } });
});

describe('the main module’s version', () => {
  const version = (mod: string, ...build: readonly string[]): string | undefined =>
    mainVersion(parseBuildInfo('go1.22', [`mod\t${mod}`, ...build.map((line) => `build\t${line}`)].join('\n')));

  test.for([
    ['example.com/a\tv1.2.3\th1:x', [], 'v1.2.3'],
    ['example.com/a\t(devel)', ['-ldflags="-s -w -X main.version=v2.0.1 -X main.commit=abc"'], 'v2.0.1'],
    ['example.com/a\t(devel)', ['-ldflags="-X \'example.com/a/internal.buildVersion=3.4.5\'"'], '3.4.5'],
    ['example.com/a\t(devel)', ['-ldflags="-X main.goversion=1.2.3"'], undefined],
    ['example.com/a\t(devel)', [], undefined],
  ] as const)('of %j with %j', ([mod, build, expected]) => {
    expect(version(mod, ...build)).toBe(expected);
  });
});
