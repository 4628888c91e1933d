import { notOffered, variable, type AmbientProvider } from './provider.ts';

/** The variable every Sigstore client reads. */
export const TOKEN_VARIABLE = 'SIGSTORE_ID_TOKEN';

/** SIGSTORE_ID_TOKEN, put there by the user or the CI system. */
export const environment: AmbientProvider = {
  name: 'envvar',
  title: TOKEN_VARIABLE,
  isPresent: (context) => variable(context, TOKEN_VARIABLE) !== undefined,
  fetch: (_audience, context) => {
    const token = variable(context, TOKEN_VARIABLE);
    return token === undefined
      ? Promise.reject(notOffered(environment, 'the variable is not set', `Set ${TOKEN_VARIABLE} to the token.`))
      : Promise.resolve(token);
  },
};
