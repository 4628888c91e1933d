import type { CopiedImages } from '../actions/copy-image.ts';
import { jsonDocument } from './json-view.ts';

/** What was copied, or would be: the images, then counts, then what stayed behind. */
export const copyView = {
  text: (copy: CopiedImages): string => {
    const { images, leftOut, dryRun } = copy;
    const named = images.map(({ digest, tags }) => `  ${digest}${tags.length === 0 ? '' : `  ${tags.join(', ')}`}`);
    return [
      `${copy.source} → ${copy.destination}${dryRun ? '  (dry run: nothing was written)' : ''}`,
      ...named,
      `  ${manifestCounts(copy)}`,
      `  ${blobCounts(copy)}`,
      ...copy.cosignTags.map(({ tag }) => `  cosign tag ${tag}`),
      ...leftOut.map(({ digest, why }) => `  not copied: ${digest}: ${why}`),
      '',
    ].join('\n');
  },
  json: (copy: CopiedImages): string => jsonDocument('CopyResult', copy),
} as const;

const SAYS = { copied: 'copied', mounted: 'mounted', present: 'there already', missing: 'to copy' } as const;

function manifestCounts({ manifests }: CopiedImages): string {
  const referrers = manifests.filter(({ role }) => role === 'referrer').length;
  const counts = Map.groupBy(manifests, ({ outcome }) => outcome);
  const parts = [...counts].map(([outcome, all]) => `${all.length} ${SAYS[outcome]}`);
  return `${manifests.length} manifests (${referrers} referrers): ${parts.join(', ')}`;
}

function blobCounts({ blobs }: CopiedImages): string {
  const counts = Map.groupBy(blobs, ({ outcome }) => outcome);
  const parts = [...counts].map(([outcome, all]) => {
    const sizeBytes = all.reduce((sum, { size }) => sum + size, 0);
    return `${all.length} ${SAYS[outcome]} (${sizeBytes} bytes)`;
  });
  return parts.length === 0 ? 'no blobs to copy' : `blobs: ${parts.join(', ')}`;
}
