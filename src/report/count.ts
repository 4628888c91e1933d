/** `1 package`, `2 packages`: for words that take an s. */
export function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}
