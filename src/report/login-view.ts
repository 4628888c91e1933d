import type { Login, Logout } from '../actions/login.ts';
import { jsonDocument } from './json-view.ts';

export const loginView = {
  text: ({ host, username, store }: Login): string =>
    `Logged in to ${host} as ${username}; the password is kept ${store.kind === 'file' ? 'in' : 'by the helper'} ${store.name}\n`,
  json: (result: Login): string => jsonDocument('LoginResult', result),
} as const;

export const logoutView = {
  text: ({ host, erased }: Logout): string =>
    erased.length === 0
      ? `There was no login for ${host}\n`
      : `Logged out of ${host}: erased from ${erased.map(({ name }) => name).join(' and ')}\n`,
  json: (result: Logout): string => jsonDocument('LogoutResult', result),
} as const;
