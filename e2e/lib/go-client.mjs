// Our own client, without its screen: messages go in as lines, events come out as JSON.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { build } from './emulator.mjs';
import { Log } from './log.mjs';

export class GoClient {
  events = new Log();
  #process;

  constructor(user, { ready }, flags) {
    this.user = user;
    this.#process = spawn(build(), [
      '--headless', '--rest-url', ready.rest_url, '--ws-url', ready.ws_url, '--token-url', ready.token_url, '--user', user, ...flags,
    ], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const { at, event, ...data } = JSON.parse(line);
      this.events.add({ at: Date.parse(at), name: event, data });
    });
  }

  // event waits for an event by its name, as Client.event does.
  event(name, { where = () => true, ...options } = {}) {
    return this.events.wait((e) => e.name === name && where(e.data), { what: `${name} of ${this.user}`, ...options });
  }

  all(name) {
    return this.events.items.filter((e) => e.name === name);
  }

  // say sends a line to the peer; a line that begins with a slash is a command.
  say(line) {
    this.#process.stdin.write(`${line}\n`);
  }

  uncaught = [];

  async close() {
    if (this.#process.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await gone;
  }
}
