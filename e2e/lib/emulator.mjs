// Starts `ttlchat serve` on free ports and keeps its journal.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Log } from './log.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
let binary = process.env.TTLCHAT_BIN;

// build returns the path of a ttlchat made from this tree, or of the one that TTLCHAT_BIN names.
export function build() {
  if (!binary) {
    const target = fileURLToPath(new URL('../test-results/ttlchat', import.meta.url));
    mkdirSync(fileURLToPath(new URL('../test-results/', import.meta.url)), { recursive: true });
    execFileSync('go', ['build', '-o', target, '.'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    binary = target;
  }
  return binary;
}

export class Emulator {
  journal = new Log();
  stderr = '';
  #process;

  // start resolves once the emulator has said where it listens. `flags` are further flags of `ttlchat serve`.
  static async start(flags = []) {
    const e = new Emulator();
    e.#process = spawn(build(), ['serve', '--listen', '127.0.0.1:0', '--token-listen', '127.0.0.1:0', '--json', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    e.#process.stderr.on('data', (text) => (e.stderr += text));
    const ended = new Promise((_, reject) => {
      e.#process.once('error', reject);
      e.#process.once('exit', (code) => reject(new Error(`ttlchat serve ended with ${code}: ${e.stderr.trim()}`)));
    });
    ended.catch(() => {}); // only the start waits for it
    createInterface({ input: e.#process.stdout }).on('line', (line) => {
      const entry = JSON.parse(line);
      e.journal.add({ ...entry, at: entry.at ? Date.parse(entry.at) : Date.now() });
    });
    e.ready = await Promise.race([e.entry('ready'), ended]);
    return e;
  }

  // entry waits for a journal entry by its name; the options are those of Log.wait, and `where` narrows it.
  entry(event, { where = () => true, ...options } = {}) {
    return this.journal.wait((e) => e.event === event && where(e), { what: `the journal entry ${event}`, ...options });
  }

  entries(event, where = () => true) {
    return this.journal.items.filter((e) => e.event === event && where(e));
  }

  get restBase() {
    return `${this.ready.rest_url}/${this.ready.org}/${this.ready.app}`;
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(timer);
  }
}
