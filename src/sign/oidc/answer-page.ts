/** How it went, for the person in the browser. */
export type Outcome = 'signed-in' | 'failed' | 'used' | 'not-here';

interface Page {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const WORDS: Readonly<Record<Outcome, readonly [title: string, text: string]>> = {
  'signed-in': ['Signed in', 'boltseal has what it needs. You can close this page and go back to the terminal.'],
  failed: ['Not signed in', 'Go back to the terminal: it says what went wrong and what to do next.'],
  used: ['Already used', 'This sign-in is over. To sign in again, start again in the terminal.'],
  'not-here': ['Nothing here', 'This address only waits for a sign-in to come back.'],
};

/** A page without scripts, and without anything from the request in it. */
export function answerPage(outcome: Outcome): Page {
  const [title, text] = WORDS[outcome];
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    },
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>boltseal: ${title}</title><h1>${title}</h1><p>${text}</p></html>\n`,
  };
}
