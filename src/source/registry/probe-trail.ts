import { discardBody } from '../http.ts';
import { ACCEPT_MANIFESTS } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';

/** What a probe has put into a repository, so that all of it is taken out again, last first. */
export interface ProbeTrail {
  /** Said before the request that stores it: an answer that is lost may still have stored it. */
  add(path: string, what: string): void;
  /** A tag: it may go by itself, or with its manifest, or not at all. */
  addTag(tag: string): void;
  /** An upload that was begun; a registry forgets those by itself, so a refusal to end one is none of the leftovers. */
  addUpload(location: URL): void;
  /** Removes everything, and says what is still there. Takes its own client: the other one may be interrupted. */
  tidy(client: RepositoryClient): Promise<readonly string[]>;
}

interface Step {
  readonly path: string | URL;
  readonly what: string;
  readonly mustGo: boolean;
}

export function probeTrail(): ProbeTrail {
  const steps: Step[] = [];
  const tags = new Set<string>();
  return {
    add: (path, what) => void steps.push({ path, what, mustGo: true }),
    addTag: (tag) => {
      tags.add(tag);
      steps.push({ path: `manifests/${tag}`, what: `the tag ${tag}`, mustGo: false });
    },
    addUpload: (location) => void steps.push({ path: location, what: 'an upload', mustGo: false }),
    async tidy(client) {
      const left: string[] = [];
      for (const { path, what, mustGo } of steps.toReversed()) {
        const isGone = await remove(client, path, what);
        if (!isGone && mustGo && (await isStillThere(client, path, what))) left.push(what);
      }
      for (const tag of tags)
        if (await isStillThere(client, `manifests/${tag}`, `the tag ${tag}`)) left.push(`the tag ${tag}`);
      return left;
    },
  };
}

/** A registry to which the name itself is malformed cannot have stored anything under it. */
const NOT_THERE: ReadonlySet<number> = new Set([400, 404]);

async function isStillThere(client: RepositoryClient, path: string | URL, what: string): Promise<boolean> {
  const headers = { accept: ACCEPT_MANIFESTS };
  const doing = `looking for ${what}`;
  try {
    const response = await client.send({ method: 'HEAD', path, headers, access: 'push', raw: true, doing });
    await discardBody(response);
    return !NOT_THERE.has(response.status);
  } catch {
    // Not knowing is no reason to say that it is gone.
    return true;
  }
}

async function remove(client: RepositoryClient, path: string | URL, what: string): Promise<boolean> {
  try {
    const response = await client.send({
      method: 'DELETE',
      path,
      access: 'push',
      raw: true,
      doing: `removing ${what}`,
    });
    await discardBody(response);
    return response.status === 404 || (response.status >= 200 && response.status < 300);
  } catch {
    // Whatever it was that failed: the thing is still there, and the report says so.
    return false;
  }
}
