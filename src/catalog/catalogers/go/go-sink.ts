import { LIMITS } from '../../../base/limits.ts';
import type { TarEntry } from '../../../image/file-tree.ts';
import type { Extraction, FileSink } from '../../cataloger.ts';
import { parseBuildInfo, type GoBuildInfo } from './build-info.ts';
import { findBuildInfo, followPointers, type RawBuildInfo } from './build-info-blob.ts';

/** First bytes of the executable formats Go writes: ELF, PE, Mach-O of both byte orders, and Mach-O for several machines. */
const EXECUTABLES = ['7f454c46', '4d5a', 'feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe'];

/** Files up to this size are kept whole while they stream past; larger ones are searched through a window. */
const WHOLE_BYTES = LIMITS.catalogFileBytes;
/** Module lists are tens of KiB. */
const WINDOW_BYTES = 8 * 1024 * 1024;
const ALIGNMENT = 16;

/** Looks for Go's build information in an executable; any other file is given up at its first bytes. */
export function goSink(entry: TarEntry): FileSink<GoBuildInfo> {
  const chunks: Buffer[] = [];
  let keptBytes = 0;
  let isExecutable: boolean | undefined;
  let windowed: RawBuildInfo | undefined;
  const write = (chunk: Uint8Array): boolean => {
    isExecutable ??= hasMagic(chunk);
    if (!isExecutable || windowed !== undefined) return false;
    chunks.push(Buffer.from(chunk));
    keptBytes += chunk.length;
    if (entry.size > WHOLE_BYTES && keptBytes > 2 * WINDOW_BYTES) {
      const window = Buffer.concat(chunks.splice(0));
      windowed = findBuildInfo(window);
      const rest = window.subarray(Math.floor((window.length - WINDOW_BYTES) / ALIGNMENT) * ALIGNMENT);
      chunks.push(Buffer.from(rest));
      keptBytes = rest.length;
    }
    return true;
  };
  return {
    write,
    end: () => {
      if (isExecutable !== true) return undefined;
      const file = Buffer.concat(chunks);
      const raw = windowed ?? findBuildInfo(file);
      return raw === undefined ? undefined : recordOf(raw, entry.size > WHOLE_BYTES ? undefined : file);
    },
  };
}

function hasMagic(chunk: Uint8Array): boolean {
  const hex = Buffer.from(chunk.subarray(0, 4)).toString('hex');
  return EXECUTABLES.some((magic) => hex.startsWith(magic));
}

function recordOf(raw: RawBuildInfo, file: Buffer | undefined): Extraction<GoBuildInfo> {
  const found = raw.kind === 'found' || file === undefined ? raw : followPointers(file, raw.at);
  if (found?.kind === 'found') return { ok: true, record: parseBuildInfo(found.goVersion, found.modules) };
  const why = file === undefined ? `it is larger than ${WHOLE_BYTES} bytes` : 'its pointers lead nowhere';
  return { ok: false, reason: `a Go binary built before Go 1.18 whose build information cannot be read: ${why}` };
}
