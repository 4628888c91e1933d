import { registryError } from './registry-error.ts';

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const MAX_NAME_LENGTH = 255;

/** distribution-spec 1.1.1, "Pulling manifests". @throws ReplyError NAME_INVALID */
export function requireName(text: string | undefined): string {
  if (text !== undefined && text.length <= MAX_NAME_LENGTH && NAME.test(text)) return text;
  throw registryError('NAME_INVALID', 'invalid repository name', { detail: text });
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}
