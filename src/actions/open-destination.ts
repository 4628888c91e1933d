import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import type { LayoutReference } from '../oci/reference.ts';
import { createLayout } from '../source/layout-writer.ts';
import { openSource } from '../source/open.ts';
import { recogniseReference } from '../source/recognise.ts';
import type { WritableSource } from '../source/source.ts';
import { openWritable, type ImageOptions } from './open-image.ts';

/**
 * Opens what is copied to. A layout that is not there yet is made, except when nothing may be written.
 *
 * @throws BoltsealError NOT_WRITABLE, FILE_UNWRITABLE, and see `openImage`
 */
export async function openDestination(
  text: string,
  options: ImageOptions & { readonly dryRun?: boolean },
  context: Context,
): Promise<WritableSource> {
  if (!text.startsWith('oci:')) return openWritable(text, options, context);
  const { reference } = await recogniseReference(text, context);
  if (reference.kind !== 'layout') return openWritable(text, options, context);
  if (options.dryRun !== true) await createLayout(reference.path, context);
  else if (!(await isThere(reference, context))) return emptyLayout(reference);
  return openWritable(text, options, context);
}

async function isThere(reference: LayoutReference, context: Context): Promise<boolean> {
  try {
    await (await openSource(reference, {}, context))[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    if (error instanceof BoltsealError && error.code === 'FILE_NOT_FOUND') return false;
    throw error;
  }
}

/** A layout that would be made: it has nothing, and takes nothing. */
function emptyLayout(reference: LayoutReference): WritableSource {
  const refuse = async (): Promise<never> => {
    throw new BoltsealError('NOT_FOUND', `there is no layout in ${reference.path} yet`, {
      hint: 'Copy without --dry-run to make it.',
    });
  };
  return {
    reference,
    resolve: refuse,
    readManifest: refuse,
    readBlob: refuse,
    writeBlob: refuse,
    writeManifest: refuse,
    listReferrers: () => Promise.resolve([]),
    hasManifest: () => Promise.resolve(false),
    hasBlob: () => Promise.resolve(false),
    findTag: () => Promise.resolve(undefined),
    listTags: () => Promise.resolve([]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
