// `ttlchat run --watch`: built-in scenarios give verdicts on an app that uses the official SDK.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';
import { build } from '../lib/emulator.mjs';

// App is what an app does around the SDK: it asks the token server, logs in, and renews when the SDK says so, one request at a time.
class App {
  #renewing = false;
  #over = false;

  constructor(w, client, { life = 10, heeds = true } = {}) {
    Object.assign(this, { w, client, life, heeds });
  }

  async token() {
    const { ready } = await this.w.emulator();
    for (let pause = 500; ; pause *= 2) {
      const response = await fetch(ready.token_url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ user_uuid: this.client.user, expire: this.life }),
      });
      if (response.ok) return (await response.json()).token;
      await sleep(pause);
    }
  }

  async start() {
    if (this.heeds) this.#heed();
    await this.client.call('open', { user: this.client.user, accessToken: await this.token() }).catch(() => {}); // a refusal is what some want
  }

  async #heed() {
    for (let after; !this.#over; ) {
      after = await this.client.event('onTokenWillExpire', { after, within: 60_000 }).catch(() => undefined);
      if (after && !this.#renewing && !this.#over) this.#renew();
    }
  }

  async #renew() {
    this.#renewing = true;
    await this.client.renew(await this.token()).catch(() => {}); // the verdict is the scenario's
    this.#renewing = false;
  }

  end() {
    this.#over = true;
  }
}

// watch runs a scenario on whoever logs in as alice, and returns its report and exit code.
async function watch(w, scenario, app) {
  const { ready } = await w.emulator();
  const run = spawn(build(), ['run', scenario, '--watch', ready.control_url, '--user', 'alice', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let said = '';
  run.stdout.on('data', (text) => (out += text));
  const invited = new Promise((resolve) => {
    run.stderr.on('data', (text) => {
      said += text;
      if (said.includes('log in as alice now')) resolve();
    });
  });
  const ended = new Promise((resolve) => run.once('exit', resolve));
  try {
    await Promise.race([invited, ended]);
    await sleep(300); // what the scenario does before the login
    await app.start();
    const code = await ended;
    assert.notEqual(out, '', said);
    return { code, report: JSON.parse(out) };
  } finally {
    app.end();
    run.kill();
  }
}

group('verdicts on an app with the official SDK', {}, (check) => {
  for (const [scenario, options] of [
    ['s01-happy-renew', {}],
    ['s06-will-expire-twice', { life: 20 }],
    ['s23-kicked-by-another-device', { heeds: false }],
    ['s23-kicked-by-an-administrator', { heeds: false }],
    ['s24-rejected-token', {}],
    ['b01-will-expire-only-once', {}],
    ['b05-renewed-with-the-old-token', {}],
  ]) {
    check(`${scenario} passes`, async (w) => {
      const app = new App(w, await w.client('alice'), options);
      const { code, report } = await watch(w, scenario, app);
      const failed = report.checks.filter((c) => c.state === 'failed');
      assert.deepEqual(failed, []);
      assert.equal(report.verdict, 'passed', report.problem);
      assert.equal(code, 0);
      assert(report.checks.filter((c) => c.state === 'passed').length >= 2, 'something was seen of it');
    });
  }

  check('an app that does not heed the warning fails', async (w) => {
    const app = new App(w, await w.client('alice'), { heeds: false });
    const { code, report } = await watch(w, 's01-happy-renew', app);
    assert.equal(code, 1);
    const names = report.checks.filter((c) => c.state === 'failed').map((c) => c.name ?? c.check);
    assert(names.includes('event 4 renew.succeeded'), `failed: ${names}`);
    assert(names.includes('final'), `failed: ${names}`);
  });
});
