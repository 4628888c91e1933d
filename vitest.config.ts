import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**'],
    typecheck: { enabled: false },
    pool: 'threads',
    isolate: false,
    testTimeout: 30_000,
  },
});
