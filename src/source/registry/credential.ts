import { digestOf } from '../../oci/digest.ts';

/** What a registry, or the token server it names, may be told about who asks. */
export type Credential =
  | BasicCredential
  /** An OAuth2 refresh token, which only the token server sees. */
  | { readonly kind: 'identity-token'; readonly username?: string; readonly token: string }
  /** A bearer token to send as it is. */
  | { readonly kind: 'registry-token'; readonly token: string };

export interface BasicCredential {
  readonly kind: 'basic';
  readonly username: string;
  readonly password: string;
}

export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

/** Names who asks without telling the secret: a token of one account is never used for another. */
export function accountOf(credential: Credential | undefined): string {
  return credential === undefined ? 'anonymous' : digestOf(JSON.stringify(credential));
}
