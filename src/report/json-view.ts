/** The documents of `--format json`: what kind it is and which version of its shape, then the result. docs/json.md describes each. */
export function jsonDocument(kind: string, content: object): string {
  return `${JSON.stringify({ schemaVersion: 1, kind, ...content }, null, 2)}\n`;
}
