import type { GeneratedBom } from '../actions/generate-bom.ts';

/** One line for stderr: what the document holds, and how much could not be read. */
export function sbomSummary({ reference, inventory, bytes }: GeneratedBom): string {
  const { packages, unknowns, distro, layers } = inventory;
  const system = distro === undefined ? 'no operating system' : (distro.prettyName ?? distro.id);
  const stacked = layers.length === 0 ? '' : `, ${layers.length} layers`;
  const unread = unknowns.length === 0 ? '' : `, ${unknowns.length} unknown`;
  return `${reference}: ${packages.length} packages${unread}${stacked}, ${system}, ${bytes.length} bytes`;
}
