/** A module of a Go binary, as `go version -m` lists it. */
export interface GoModule {
  readonly path: string;
  readonly version: string;
  /** `h1:…`, absent for the main module and for directories. */
  readonly sum?: string;
}

/** What the Go linker wrote into a binary: runtime/debug.BuildInfo. */
export interface GoBuildInfo {
  /** `go1.22.1`, perhaps with experiments after it. */
  readonly goVersion: string;
  /** Import path of the main package. */
  readonly mainPackage?: string;
  readonly main?: GoModule;
  /** Replacements are in the place of what they replace. */
  readonly dependencies: readonly GoModule[];
  readonly settings: Readonly<Record<string, string>>;
}

/** Reads the text form of the build information: lines of tab-separated fields. */
export function parseBuildInfo(goVersion: string, text: string): GoBuildInfo {
  const info = { main: undefined as GoModule | undefined, mainPackage: '', dependencies: [] as GoModule[] };
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [keyword, ...fields] = line.split('\t');
    if (keyword === 'path') info.mainPackage = fields[0] ?? '';
    else if (keyword === 'mod') info.main = moduleOf(fields);
    else if (keyword === 'dep') info.dependencies.push(moduleOf(fields));
    else if (keyword === '=>') replaceLast(info.dependencies, moduleOf(fields));
    else if (keyword === 'build') addSetting(settings, fields[0] ?? '');
  }
  return {
    goVersion,
    ...(info.mainPackage === '' ? {} : { mainPackage: info.mainPackage }),
    ...(info.main === undefined || info.main.path === '' ? {} : { main: info.main }),
    dependencies: info.dependencies.filter(({ path }) => path !== ''),
    settings: Object.fromEntries(settings),
  };
}

function moduleOf([path = '', version = '', sum = '']: readonly string[]): GoModule {
  return { path, version, ...(sum === '' ? {} : { sum }) };
}

/** A replacement that is a directory has no name of its own elsewhere, so the module keeps the one it is imported by. */
function replaceLast(dependencies: GoModule[], replacement: GoModule): void {
  const replaced = dependencies.pop();
  if (replaced === undefined) return;
  const isDirectory = /^(?:\.{0,2}\/|[A-Za-z]:|\.{1,2}$)/.test(replacement.path);
  dependencies.push(isDirectory ? { path: replaced.path, version: '' } : replacement);
}

/** `key=value`, either of them quoted as in Go where it needs to be. */
function addSetting(settings: Map<string, string>, written: string): void {
  const [, key = '', value = ''] = /^("(?:[^"\\]|\\.)*"|`[^`]*`|[^=]*)=(.*)$/.exec(written) ?? [];
  if (key !== '') settings.set(unquoted(key), unquoted(value));
}

function unquoted(text: string): string {
  if (/^`[^`]*`$/.test(text)) return text.slice(1, -1);
  if (!/^"(?:[^"\\]|\\.)*"$/.test(text)) return text;
  return text
    .slice(1, -1)
    .replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char === 't' ? '\t' : char));
}

/**
 * The main module's version: what the linker recorded; for `(devel)` what the build was told to call itself (`-X …version=`), else
 * the pseudo-version of the commit it was made from. Undefined when the binary does not say.
 */
export function mainVersion({ main, settings }: GoBuildInfo): string | undefined {
  if (main !== undefined && main.version !== '' && main.version !== '(devel)') return main.version;
  return versionOfFlags(settings['-ldflags'] ?? '') ?? versionOfCommit(settings);
}

function versionOfFlags(ldflags: string): string | undefined {
  const assignments = ldflags.matchAll(/-X[ =]+['"]?[\w./~-]+\.([A-Za-z]\w*)=([^\s'"]+)/g);
  const versions = [...assignments].filter(([, name, value]) => {
    return (
      /^(?:build|git|app|main|release)?_?(?:version|tag|release)$/i.test(name ?? '') && /^v?\d+\.\d+/.test(value ?? '')
    );
  });
  return versions[0]?.[2];
}

/** Go's pseudo-version without a base version: `v0.0.0-yyyymmddhhmmss-abcdefabcdef`. */
function versionOfCommit(settings: Readonly<Record<string, string>>): string | undefined {
  const [revision = '', time = ''] = [settings['vcs.revision'], settings['vcs.time']];
  const isKnown = /^[0-9a-f]{12,}$/.test(revision) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time);
  const stamp = time.replaceAll(/\D/g, '');
  return isKnown ? `v0.0.0-${stamp}-${revision.slice(0, 12)}` : undefined;
}
