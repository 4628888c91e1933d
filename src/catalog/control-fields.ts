/** Fields of one stanza, names in lower case; a continued value keeps its line breaks, leading blanks removed. */
export type ControlFields = ReadonlyMap<string, string>;

/**
 * Reads stanzas of `Name: value` lines as Debian control files (deb822(5)) and Python metadata (an RFC 822 subset) have them:
 * stanzas end at an empty line, a line that begins with a blank continues the one before. Anything else is passed over.
 */
export function parseStanzas(text: string): readonly ControlFields[] {
  return text
    .replaceAll('\r\n', '\n')
    .split(/\n(?:[ \t]*\n)+/)
    .map(parseFields)
    .filter((fields) => fields.size > 0);
}

/** One stanza, every value of a repeated field kept. */
export function parseRepeatedFields(stanza: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  let last: string[] | undefined;
  for (const line of stanza.split('\n')) {
    if (/^[ \t]/.test(line)) {
      if (last !== undefined) last.push(`${last.pop() ?? ''}\n${line.trim()}`);
      continue;
    }
    const [, name, value] = /^([^\s:#][^\s:]*)[ \t]*:(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    last = fields.get(name.toLowerCase()) ?? [];
    last.push(value.trim());
    fields.set(name.toLowerCase(), last);
  }
  return fields;
}

function parseFields(stanza: string): ControlFields {
  return new Map([...parseRepeatedFields(stanza)].map(([name, values]) => [name, values[0] ?? '']));
}
