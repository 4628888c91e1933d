import type { Cataloger } from '../cataloger.ts';

/** A kind of file that lists or holds packages and that no cataloger reads. */
interface UnreadKind {
  readonly what: string;
  readonly path: RegExp;
}

/** A row goes when a cataloger for it comes. */
const KINDS: readonly UnreadKind[] = [
  {
    what: 'rpm package database',
    path: /^(?:var\/lib|usr\/share|usr\/lib\/sysimage)\/rpm\/(?:Packages|Packages\.db|rpmdb\.sqlite)$/,
  },
  { what: 'pacman package description', path: /^var\/lib\/pacman\/local\/[^/]+\/desc$/ },
  { what: 'opkg package database', path: /^(?:usr|var)\/lib\/opkg\/status$/ },
  { what: 'Portage package record', path: /^var\/db\/pkg\/[^/]+\/[^/]+\/PF$/ },
  { what: 'Nix store database', path: /^nix\/var\/nix\/db\/db\.sqlite$/ },
  { what: 'conda package record', path: /(?:^|\/)conda-meta\/[^/]+\.json$/ },
  { what: 'Java archive', path: /\.(?:jar|war|ear|jpi|hpi|par|sar|kar)$/ },
  { what: 'Ruby gem specification', path: /(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/ },
  { what: 'Composer package list', path: /(?:^|\/)vendor\/composer\/installed\.json$/ },
  { what: '.NET dependency manifest', path: /\.deps\.json$/ },
];

/**
 * Sees what the other catalogers would have to read and do not: an image full of rpm packages must not look like one without
 * any. Each kind is one unknown, at the first of its files.
 */
export const unreadCataloger: Cataloger<{ readonly what: string }> = {
  name: 'unread',
  version: 1,
  selects: ({ path }) => kindOf(path) !== undefined,
  open: ({ path }) => ({
    write: () => false,
    end: () => {
      const kind = kindOf(path);
      return kind === undefined ? undefined : { ok: true, record: { what: kind.what } };
    },
  }),
  roleOf: (path) => kindOf(path)?.what ?? '',
  catalog: ({ records }) => {
    const groups = Map.groupBy(records, ({ record }) => record.what);
    return {
      packages: [],
      relations: [],
      unknowns: [...groups].map(([what, files]) => ({
        path: files[0]?.path ?? '',
        cataloger: unreadCataloger.name,
        reason: reasonFor(what, files.length),
      })),
      relationsComplete: true,
    };
  },
};

function kindOf(path: string): UnreadKind | undefined {
  return KINDS.find((kind) => kind.path.test(path));
}

function reasonFor(what: string, count: number): string {
  const others = count === 1 ? '' : `, and so are ${count - 1} more in the image`;
  return `the packages of this ${what} are not listed: boltseal does not read its kind${others}`;
}
