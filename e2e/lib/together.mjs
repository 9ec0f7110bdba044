// Runs the test files that E2E_FILES lists (JSON) in this one process, where they share a backend and its pages. A browser's pages cost so
// much that this halves the time; in jsdom, where pages run in the process itself, a process for each file is better.

import { describe } from 'node:test';
import { collect } from './check.mjs';

const declared = await collect(async () => {
  for (const file of JSON.parse(process.env.E2E_FILES)) await import(file);
});

describe('all', { concurrency: 3 }, () => {
  for (const declare of declared) declare();
});
