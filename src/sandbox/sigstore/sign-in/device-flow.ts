import { randomInt, randomUUID } from 'node:crypto';
import type { Context } from '../../../base/context.ts';
import { json, type Route, type SandboxReply } from '../../http/message.ts';
import { checkClientId, isVerifierOf, oauthError, readForm } from './oauth.ts';

interface PendingDevice {
  readonly userCode: string;
  readonly challenge: string | undefined;
  readonly expiresAt: number;
  intervalMs: number;
  askedAt: number;
  isApproved: boolean;
}

export interface DeviceFlow {
  readonly routes: readonly Route[];
  /** The claims to add for a device code, once the person is done. @throws ReplyError of RFC 8628, section 3.5 */
  readonly redeem: (form: URLSearchParams) => Readonly<Record<string, unknown>>;
}

const LIFETIME_SECONDS = 300;
const INTERVAL_SECONDS = 1;
const SLOW_DOWN_MS = 5000;
/** Timers are not exact: a poll that is a little early is not punished. */
const TOLERANCE = 0.8;
/** Without vowels, so that a code is no word (RFC 8628, section 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/** The device flow (RFC 8628): whoever opens the page with the code has signed in. */
export function deviceFlow(url: string, { now }: Pick<Context, 'now'>): DeviceFlow {
  const pending = new Map<string, PendingDevice>();
  return {
    routes: [
      {
        methods: ['POST'],
        path: /^\/device\/code$/,
        async answer(request) {
          const form = await readForm(request);
          checkClientId(form.get('client_id'));
          const device = newDevice(form.get('code_challenge') ?? undefined, now().getTime());
          const deviceCode = randomUUID();
          pending.set(deviceCode, device);
          return json(200, { device_code: deviceCode, ...invitation(url, device.userCode) });
        },
      },
      {
        methods: ['GET'],
        path: /^\/device$/,
        answer: ({ url: { searchParams } }) => approve(searchParams.get('user_code'), [...pending.values()]),
      },
    ],
    redeem(form) {
      const code = form.get('device_code') ?? '';
      const device = pending.get(code);
      if (device === undefined) throw oauthError('invalid_grant', 'The device code is unknown or used');
      checkPoll(device, now().getTime());
      if (!device.isApproved) throw oauthError('authorization_pending', 'The person is not done');
      pending.delete(code);
      if (device.challenge !== undefined && !isVerifierOf(device.challenge, form.get('code_verifier') ?? ''))
        throw oauthError('invalid_grant', 'The code_verifier is not that of the challenge');
      return {};
    },
  };
}

function newDevice(challenge: string | undefined, now: number): PendingDevice {
  const letters = Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)] ?? '').join('');
  return {
    userCode: `${letters.slice(0, 4)}-${letters.slice(4)}`,
    challenge,
    expiresAt: now + LIFETIME_SECONDS * 1000,
    intervalMs: INTERVAL_SECONDS * 1000,
    askedAt: 0,
    isApproved: false,
  };
}

function invitation(url: string, userCode: string): Readonly<Record<string, unknown>> {
  return {
    user_code: userCode,
    verification_uri: `${url}/device`,
    verification_uri_complete: `${url}/device?user_code=${userCode}`,
    expires_in: LIFETIME_SECONDS,
    interval: INTERVAL_SECONDS,
  };
}

/** @throws ReplyError expired_token, slow_down */
function checkPoll(device: PendingDevice, now: number): void {
  if (device.expiresAt <= now) throw oauthError('expired_token', 'The device code has expired');
  const isTooSoon = now - device.askedAt < device.intervalMs * TOLERANCE;
  device.askedAt = now;
  if (!isTooSoon) return;
  device.intervalMs += SLOW_DOWN_MS;
  throw oauthError('slow_down', `Wait ${device.intervalMs / 1000} s between two requests`);
}

/** Codes are compared without dash and in upper case: people type them. */
function approve(typed: string | null, devices: readonly PendingDevice[]): SandboxReply {
  if (typed === null)
    return page(200, '<form><input name="user_code" placeholder="XXXX-XXXX"><button>Sign in</button></form>');
  const plain = (code: string): string => code.replaceAll(/[^A-Za-z]/g, '').toUpperCase();
  const device = devices.find(({ userCode }) => plain(userCode) === plain(typed));
  if (device === undefined) return page(404, '<p>Nobody waits for this code.</p>');
  device.isApproved = true;
  return page(200, '<p>Signed in. You can close this page.</p>');
}

function page(status: number, content: string): SandboxReply {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    body: `<!doctype html><title>boltseal sandbox</title>${content}\n`,
  };
}
