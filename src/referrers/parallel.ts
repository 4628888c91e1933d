/**
 * Applies `work` to every item, at most `limit` at a time, and yields the results in the order of the items. The first failure
 * ends it; work that has begun is left to finish on its own.
 */
export async function* mapParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  let next = 0;
  const startMore = (): void => {
    for (; next < items.length && running.length < limit; next += 1) {
      const promise = work(items[next] as T);
      // A failure is thrown when its turn comes; until then it is not an unhandled one.
      promise.catch(() => undefined);
      running.push(promise);
    }
  };
  startMore();
  for (let promise = running.shift(); promise !== undefined; promise = running.shift()) {
    const result = await promise;
    startMore();
    yield result;
  }
}
