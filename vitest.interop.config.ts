import { defineConfig } from 'vitest/config';

/** Tests against other people's tools and registries. Slow, and each says what is missing when it cannot run. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    pool: 'threads',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
