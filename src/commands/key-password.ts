import { BoltsealError } from '../base/errors.ts';
import { findPassword, type PasswordOptions } from '../sign/key/password.ts';
import type { Run } from './command.ts';

/** How a password is asked for, where there is somebody to ask. */
export function passwordOptions({ terminal: { ask } }: Run): PasswordOptions {
  return ask === undefined ? {} : { askPassword: (prompt) => ask(prompt, { hidden: true }) };
}

/**
 * A password for a new key: from the environment, or asked for twice, since nobody sees what is typed.
 *
 * @throws BoltsealError KEY_PASSWORD
 */
export async function newPassword(run: Run): Promise<string> {
  const options = passwordOptions(run);
  const { askPassword } = options;
  const askTwice = async (prompt: string): Promise<string> => {
    const first = await askPassword?.(prompt);
    if (first !== undefined && first === (await askPassword?.('The same again: '))) return first;
    throw new BoltsealError('KEY_PASSWORD', 'the two passwords are not the same', { hint: 'Try again.' });
  };
  return findPassword('the new key', askPassword === undefined ? {} : { askPassword: askTwice }, run.context);
}
