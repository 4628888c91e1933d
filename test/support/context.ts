import type { Context, ProgressEvent } from '../../src/base/context.ts';

export interface TestContext extends Context {
  /** Everything that was emitted so far, oldest first. */
  readonly events: readonly ProgressEvent[];
}

/** A context with an empty environment and a clock that stands still unless told otherwise. */
export function testContext(overrides: Partial<Context> = {}): TestContext {
  const events: ProgressEvent[] = [];
  return {
    now: () => new Date('2026-11-20T10:00:00Z'),
    env: {},
    execPath: process.execPath,
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
    ...overrides,
    events,
  };
}
