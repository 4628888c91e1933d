import type { GeneratedBom } from '../actions/generate-bom.ts';
import { count } from './count.ts';

/** One line for stderr: what the document holds, and how much could not be read. */
export function sbomSummary({ reference, inventory, bytes }: GeneratedBom): string {
  const { packages, unknowns, distro, layers } = inventory;
  const system = distro === undefined ? 'no operating system' : (distro.prettyName ?? distro.id);
  const stacked = layers.length === 0 ? '' : `, ${count(layers.length, 'layer')}`;
  const unread = unknowns.length === 0 ? '' : `, ${unknowns.length} unknown`;
  return `${reference}: ${count(packages.length, 'package')}${unread}${stacked}, ${system}, ${bytes.length} bytes`;
}
