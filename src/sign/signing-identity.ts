/** How to sign in when a token has to be asked for, under the names that cosign's --fulcio-auth-flow has for them. */
export const AUTH_FLOWS = ['normal', 'device', 'token', 'client_credentials'] as const;

/**
 * `normal`: with the browser on this machine; `device`: with any device, by a code; `client_credentials`: as a machine with
 * a secret of its own; `token`: not at all, a token must be given or offered by the surroundings.
 */
export type AuthFlow = (typeof AUTH_FLOWS)[number];

/** Who signs, as the command line has it. Everything is optional: in CI the surroundings say who. */
export interface SigningIdentityOptions {
  /** --identity-token: a token, or the path of a file that holds one. */
  readonly token?: string;
  /** The path of a file that holds a token. */
  readonly tokenFile?: string;
  /** --oidc-provider: the only ambient provider to ask. */
  readonly provider?: string;
  /** --oidc-disable-ambient-providers: ask none. */
  readonly disableAmbient?: boolean;
  /** --fulcio-auth-flow: sign in this way, whatever the surroundings offer. */
  readonly flow?: AuthFlow;
  /** True when a person is there to answer: then the browser is the last resort. */
  readonly interactive?: boolean;
  /** --oidc-issuer: where to sign in; by default where the signing configuration says. */
  readonly issuer?: string;
  /** --oidc-client-id: who boltseal is to the issuer, and with that the audience every token must be for. */
  readonly clientId?: string;
  /** --oidc-client-secret-file */
  readonly clientSecretFile?: string;
  /** --oidc-redirect-url: where the issuer sends the browser, http on this machine; port 0 for any free one. */
  readonly redirectUrl?: string;
}
