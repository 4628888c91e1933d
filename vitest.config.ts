import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**'],
    typecheck: { enabled: false },
    pool: 'threads',
    isolate: false,
    // Most tests wait for servers and timers more than they compute.
    maxWorkers: 4,
    testTimeout: 30_000,
  },
});
