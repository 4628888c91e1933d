import { describe, expect, test } from 'vitest';
import { chooseServices } from '../../src/sign/choose-services.ts';
import { PUBLIC_SIGNING_CONFIG } from '../../src/sign/public-services.ts';
import { parseSigningConfig } from '../../src/sign/signing-config.ts';
import { testContext } from '../support/context.ts';

const context = testContext({ now: () => new Date('2026-11-20T10:00:00Z') });
const mediaType = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';
const good = {
  mediaType,
  caUrls: [service('https://fulcio.example')],
  rekorTlogUrls: [service('https://rekor1.example'), service('https://rekor2.example', { majorApiVersion: 2 })],
  rekorTlogConfig: { selector: 'ANY' },
  tsaUrls: [service('https://tsa.example/api/v1/timestamp')],
  tsaConfig: { selector: 'ANY' },
};

describe('a signing configuration', () => {
  test('is read, alone or inside a client trust configuration', () => {
    const clientTrust = {
      mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
      trustedRoot: {},
      signingConfig: good,
    };
    expect(parse(clientTrust)).toEqual(parse(good));
    expect(parse(good).fulcio).toMatchObject([{ url: 'https://fulcio.example', majorApiVersion: 1 }]);
  });

  test.for([
    ['another media type', { ...good, mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.1+json' }],
    ['an unknown field', { ...good, caUrl: 'https://fulcio.example' }],
    ['an unknown field of a service', { ...good, caUrls: [service('https://a.example', { weight: 1 })] }],
    ['an unknown selector', { ...good, tsaConfig: { selector: 'SOME' } }],
    ['EXACT without a count', { ...good, tsaConfig: { selector: 'EXACT' } }],
    ['a URL that is none', { ...good, caUrls: [service('fulcio.example')] }],
    ['a file URL', { ...good, caUrls: [service('file:///etc/passwd')] }],
    ['a service without a start', { ...good, caUrls: [service('https://a.example', { validFor: {} })] }],
    ['a start that is no time', { ...good, caUrls: [service('https://a.example', { validFor: { start: 'now' } })] }],
    ['services that are no list', { ...good, caUrls: {} }],
  ] as const)('is refused with %s', ([, config]) => {
    expect(() => parse(config)).toThrow(expect.objectContaining({ code: 'SIGNING_CONFIG_INVALID' }));
  });
});

describe('the services to sign at', () => {
  test('are of the highest version that is spoken here', () => {
    expect(urls(choose(good).rekor)).toEqual(['https://rekor2.example']);
    expect(urls(choose(good, 1).rekor)).toEqual(['https://rekor1.example']);
    const rekor = service('https://rekor3.example', { majorApiVersion: 3 });
    expect(urls(choose({ ...good, rekorTlogUrls: [rekor, ...good.rekorTlogUrls] }).rekor)).toEqual([
      'https://rekor2.example',
    ]);
  });

  test('are not those that begin in the future or have ended', () => {
    const future = service('https://future.example', { validFor: { start: '2099-01-01T00:00:00Z' } });
    const past = service('https://past.example', {
      validFor: { start: '2020-01-01T00:00:00Z', end: '2026-11-20T09:59:59Z' },
    });
    expect(choose({ ...good, caUrls: [future, past, ...good.caUrls] }).fulcio.url).toBe('https://fulcio.example');
    expect(() => choose({ ...good, caUrls: [future, past] })).toThrow(/no certificate authority in it is valid now/);
  });

  test('are the newest of the same version', () => {
    const newer = service('https://newer.example', { validFor: { start: '2026-06-01T00:00:00Z' } });
    expect(choose({ ...good, caUrls: [...good.caUrls, newer] }).fulcio.url).toBe('https://newer.example');
  });

  test('are one per operator: of any, of all, or of an exact number of them', () => {
    const tsaUrls = ['a', 'a', 'b', 'c'].map((operator, at) =>
      service(`https://${operator}${at}.example`, { operator }),
    );
    const chosen = (tsaConfig: object): readonly string[] =>
      urls(choose({ ...good, tsaUrls, tsaConfig }).timestampAuthorities);
    expect(chosen({ selector: 'ANY' })).toEqual(['https://a0.example']);
    expect(chosen({ selector: 'ALL' })).toEqual(['https://a0.example', 'https://b2.example', 'https://c3.example']);
    expect(chosen({ selector: 'EXACT', count: 2 })).toEqual(['https://a0.example', 'https://b2.example']);
    expect(() => chosen({ selector: 'EXACT', count: 4 })).toThrow(/asks for 4 operators/);
  });

  test('must prove the time: Rekor v2 without a timestamp authority is refused, Rekor v1 is not', () => {
    expect(() => choose({ ...good, tsaUrls: [] })).toThrow(/Rekor v2 needs a timestamp authority/);
    expect(choose({ ...good, tsaUrls: [] }, 1).timestampAuthorities).toEqual([]);
  });

  test('need a certificate authority', () => {
    expect(() => choose({ ...good, caUrls: [] })).toThrow(/names no certificate authority/);
  });

  test('are the public instance’s by default: Rekor v1 and a timestamp', () => {
    expect(chooseServices(PUBLIC_SIGNING_CONFIG, {}, context)).toMatchObject({
      fulcio: { url: 'https://fulcio.sigstore.dev' },
      rekor: [{ url: 'https://rekor.sigstore.dev', majorApiVersion: 1 }],
      timestampAuthorities: [{ url: 'https://timestamp.sigstore.dev/api/v1/timestamp' }],
    });
  });
});

function service(url: string, overrides: object = {}): object {
  return { url, majorApiVersion: 1, validFor: { start: '2025-01-01T00:00:00Z' }, operator: 'example', ...overrides };
}

function parse(config: object): ReturnType<typeof parseSigningConfig> {
  return parseSigningConfig(Buffer.from(JSON.stringify(config)), 'the signing configuration');
}

function choose(config: object, rekorVersion?: 1 | 2): ReturnType<typeof chooseServices> {
  return chooseServices(parse(config), rekorVersion === undefined ? {} : { rekorVersion }, context);
}

function urls(services: readonly { readonly url: string }[]): readonly string[] {
  return services.map(({ url }) => url);
}
