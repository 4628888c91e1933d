import { normaliseHost } from '../oci/reference.ts';
import { compileGlob, globProblem } from './glob.ts';

/** Which images a policy is about. Matches `host/repository` as references are normalised, without tag or digest. */
export interface ImagePattern {
  /** As it is compared, which may not be as it was written. */
  readonly pattern: string;
  readonly matches: (name: string) => boolean;
}

export type ImagePatternResult =
  { readonly ok: true; readonly value: ImagePattern } | { readonly ok: false; readonly problem: string };

const ANY = '**';
const HOST = /^(?:(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::(?:[0-9]{1,5}|\*))?$/;
const SEGMENT = /^[a-z0-9._*-]+$/;

/**
 * Reads a pattern: normalised the way references are (Docker Hub's names, case of the host, port 443, `library/`), so that
 * no spelling of an image escapes it. Stars in the host are refused but for a leading `*.`, which a stranger cannot
 * register under, and any port as `:*`; `**` stands for whole segments.
 */
export function compileImagePattern(written: string): ImagePatternResult {
  if (written === ANY) return { ok: true, value: { pattern: ANY, matches: () => true } };
  const pattern = normalise(written);
  const problem = problemOf(pattern) ?? globProblem(pattern);
  if (problem !== undefined) return { ok: false, problem };
  return { ok: true, value: { pattern, matches: compileGlob(pattern) } };
}

function normalise(written: string): string {
  const [first = '', ...rest] = written.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first.toLowerCase() === 'localhost' || /[A-Z]/.test(first));
  const host = isHost ? normaliseHost(first) : 'docker.io';
  const path = isHost ? rest : [first, ...rest];
  const official = host === 'docker.io' && path.length === 1 && path[0] !== ANY;
  return [host, ...(official ? ['library'] : []), ...path].join('/');
}

function problemOf(pattern: string): string | undefined {
  const [host = '', ...path] = pattern.split('/');
  if (!HOST.test(host))
    return `"${host}" is not a registry host (a star is only possible as a leading "*." and as a port)`;
  const last = path.at(-1) ?? '';
  if (last.includes('@') || last.includes(':'))
    return 'a pattern matches the name of an image: leave out tag and digest';
  const bad = path.find((segment) => !SEGMENT.test(segment));
  if (bad !== undefined) return `"${bad}" is not a part of a repository name (lower case letters, digits, . _ - and *)`;
  const mixed = path.find((segment) => segment.includes(ANY) && segment !== ANY);
  return mixed === undefined
    ? undefined
    : `in "${mixed}" two stars stand beside other characters: ** is a segment of its own`;
}
