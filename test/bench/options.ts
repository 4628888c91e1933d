import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Rounds that count. */
  readonly runs: number;
  /** How many images one command is given. */
  readonly images: number;
  /** Bytes of layers of the image that is copied and read. */
  readonly sizeBytes: number;
}

interface BenchCommand {
  readonly names: readonly string[];
  readonly options: BenchOptions;
}

/** `[NAME…] [--runs N] [--images N] [--size-mb N]` */
export function readBenchCommand(args: readonly string[]): BenchCommand {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '5' },
      images: { type: 'string', default: '100' },
      'size-mb': { type: 'string', default: '1024' },
    },
  });
  return {
    names: positionals,
    options: {
      runs: Number(values.runs),
      images: Number(values.images),
      sizeBytes: Number(values['size-mb']) * 1024 * 1024,
    },
  };
}
