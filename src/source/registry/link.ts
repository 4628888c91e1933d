const LINK = /<([^<>]*)>((?:\s*;\s*[\w*-]+\s*(?:=\s*(?:"[^"]*"|[^\s;,"]*))?)*)/g;
const PARAMETER = /;\s*([\w*-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s;,"]*)))?/g;

/**
 * The target of the `rel=next` link of a Link header (RFC 8288), as it is written there. The value of `rel` may be bare or
 * quoted and may hold several words.
 */
export function nextLink(header: string): string | undefined {
  const links = header.matchAll(LINK);
  return links.find(([, , parameters = '']) => relationsOf(parameters).includes('next'))?.[1];
}

function relationsOf(parameters: string): readonly string[] {
  const rel = parameters.matchAll(PARAMETER).find(([, name]) => name?.toLowerCase() === 'rel');
  return (rel?.[2] ?? rel?.[3] ?? '').toLowerCase().split(/\s+/);
}
