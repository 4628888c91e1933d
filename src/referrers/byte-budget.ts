interface Budget {
  /** At most this many at a time. */
  readonly tasks: number;
  /** At most these bytes of all together; what is larger goes alone. */
  readonly bytes: number;
}

interface Waiting {
  readonly sizeBytes: number;
  readonly start: () => void;
}

/**
 * Lets work through so that neither too many nor too large things are under way: a few big transfers fill the line, many
 * small ones hide each other's latency. First come, first served, so that nothing waits forever.
 */
export function byteBudget(budget: Budget): <T>(sizeBytes: number, work: () => Promise<T>) => Promise<T> {
  const waiting: Waiting[] = [];
  let runningTasks = 0;
  let runningBytes = 0;
  const costOf = (sizeBytes: number): number => Math.min(sizeBytes, budget.bytes);
  const startWaiting = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (runningTasks >= budget.tasks || runningBytes + costOf(next.sizeBytes) > budget.bytes) return;
      waiting.shift();
      runningTasks += 1;
      runningBytes += costOf(next.sizeBytes);
      next.start();
    }
  };
  return async (sizeBytes, work) => {
    await new Promise<void>((start) => {
      waiting.push({ sizeBytes, start });
      startWaiting();
    });
    try {
      return await work();
    } finally {
      runningTasks -= 1;
      runningBytes -= costOf(sizeBytes);
      startWaiting();
    }
  };
}
