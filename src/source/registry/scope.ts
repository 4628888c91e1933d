/** distribution's token scope grammar: `type:name:action[,action]`. */
export type Access = 'pull' | 'push';

/** Pushing needs to see what is there, so push asks for both. */
export function repositoryScope(repository: string, access: Access): string {
  return `repository:${repository}:${access === 'push' ? 'pull,push' : 'pull'}`;
}

/**
 * One scope per resource with the actions of all, in order of first appearance: some servers honour only the first scope,
 * so callers put the one they need now at the front.
 */
export function mergeScopes(scopes: readonly string[]): readonly string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes.flatMap((text) => text.split(/\s+/)).filter((text) => text !== '')) {
    const colon = scope.lastIndexOf(':');
    const resource = scope.slice(0, Math.max(colon, 0));
    const known = actions.get(resource) ?? new Set<string>();
    for (const action of scope.slice(colon + 1).split(',')) known.add(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, wanted]) => `${resource}:${[...wanted].toSorted().join(',')}`);
}
