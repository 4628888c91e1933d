import type { Context, ProgressEvent } from '../../src/base/context.ts';

/** A context with a fixed clock that keeps what was emitted. */
export function testContext(overrides: Partial<Context> = {}): Context & { readonly events: readonly ProgressEvent[] } {
  const events: ProgressEvent[] = [];
  return {
    now: () => new Date('2026-01-02T03:04:05Z'),
    env: {},
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
    events,
    ...overrides,
  };
}
