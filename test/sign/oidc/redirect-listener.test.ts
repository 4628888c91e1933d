import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { listenForRedirect } from '../../../src/sign/oidc/redirect-listener.ts';

describe('the listener for the redirect', () => {
  test('takes the first return and refuses every other', async () => {
    await using listener = await listenForRedirect();
    const first = fetch(`${listener.url.href}?code=first&state=s`);
    const redirect = await listener.redirect;
    expect(redirect.url.searchParams.get('code')).toBe('first');
    const second = await fetch(`${listener.url.href}?code=second&state=s`);
    expect(second.status).toBe(410);
    await redirect.answer('signed-in');
    expect((await first).status).toBe(200);
    expect((await listener.redirect).url.searchParams.get('code')).toBe('first');
  });

  test('answers with a page that loads nothing, is not kept and sends no referrer', async () => {
    await using listener = await listenForRedirect();
    const answered = fetch(`${listener.url.href}?error=%3Cscript%3E`);
    await (await listener.redirect).answer('failed');
    const response = await answered;
    expect(response.status).toBe(400);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(await response.text()).not.toContain('script');
  });

  test('does not wait for a browser that is gone', async () => {
    await using listener = await listenForRedirect();
    const gone = new AbortController();
    const visit = fetch(`${listener.url.href}?code=x`, { signal: gone.signal }).catch(() => 'gone');
    const redirect = await listener.redirect;
    gone.abort();
    expect(await visit).toBe('gone');
    // Long enough for the server to see it.
    await delay(100);
    await expect(redirect.answer('signed-in')).resolves.toBeUndefined();
  });

  test('listens on the loopback interface, on a port of its own', async () => {
    await using one = await listenForRedirect('http://localhost:0/back');
    await using other = await listenForRedirect('http://localhost:0/back');
    expect(one.url.href).toMatch(/^http:\/\/localhost:\d+\/back$/);
    expect(one.url.port).not.toBe(other.url.port);
  });
});
