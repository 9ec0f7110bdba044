// Runs the checks: node run.mjs [options] [test files]. See README.md.

import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './lib/emulator.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', multiple: true, default: ['jsdom', 'chromium'] },
    sdk: { type: 'string' },
    only: { type: 'string' },
    long: { type: 'boolean', default: false },
  },
});

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// The files that take longest start first.
const slow = ['keepalive', 'versions', 'faults', 'broken-line', 'renewal', 'expiry'].map((name) => `${name}.test.mjs`);
const all = readdirSync(here('tests')).filter((name) => name.endsWith('.test.mjs'));
all.sort((a, b) => slow.includes(b) - slow.includes(a) || slow.indexOf(a) - slow.indexOf(b) || a.localeCompare(b));
const files = positionals.length ? positionals : all.map((name) => here(`tests/${name}`));
mkdirSync(here('test-results'), { recursive: true });

const run = (args, env) =>
  new Promise((resolve, reject) => {
    spawn(process.execPath, args, { stdio: 'inherit', env }).once('error', reject).once('exit', resolve);
  });

let failed = false;
for (const backend of options.backend) {
  console.log(`== the official Web SDK in ${backend}`);
  const start = Date.now();
  const results = here(`test-results/${backend}.jsonl`);
  const together = backend === 'chromium';
  const status = await run([
    '--test', '--test-concurrency=4',
    '--test-reporter=spec', '--test-reporter-destination=stdout',
    `--test-reporter=${here('lib/results.mjs')}`, `--test-reporter-destination=${results}`,
    ...(options.only ? [`--test-name-pattern=${options.only}`] : []),
    ...(together ? [here('lib/together.mjs')] : files),
  ], {
    ...process.env,
    ...(together && { E2E_FILES: JSON.stringify(files.map((file) => pathToFileURL(file).href)) }),
    TTLCHAT_BIN: build(),
    E2E_BACKEND: backend,
    ...(options.sdk && { E2E_SDK: options.sdk }),
    ...(options.long && { E2E_LONG: '1' }),
  });
  console.log(`== ${backend}: ${status === 0 ? 'ok' : 'FAILED'} after ${Math.round((Date.now() - start) / 1000)} s\n`);
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
