// The page at /demo/, used as a person does: by clicking.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';
import { bundlePath } from '../lib/files.mjs';
import { newest } from '../versions.mjs';

// visit opens the page and follows its log.
async function visit(w) {
  const { ready } = await w.emulator();
  const demo = await w.visit('demo', `${ready.rest_url}/demo/`);
  await demo.page.evaluate(() => {
    new MutationObserver((changes) => {
      for (const row of changes.flatMap((change) => [...change.addedNodes])) {
        globalThis.report(JSON.stringify({ at: Date.now(), name: row.dataset.event, data: row.querySelector('span').textContent }));
      }
    }).observe(document.getElementById('log'), { childList: true });
  });
  return demo;
}

// login fills in the form and clicks.
async function login(demo, { life, handling }) {
  await demo.page.fill('#expire', String(life));
  await demo.page.check(`input[value=${handling}]`);
  await demo.page.click('#login');
  await demo.event('onConnected');
}

// loseRenewal lets one renewal fail, because no token can be had, and waits for the token's end.
async function loseRenewal(demo) {
  await demo.page.route('**/token', (route) => route.abort());
  await demo.event('renewToken failed', { within: 20_000 });
  await demo.page.unroute('**/token');
  return demo.event('onTokenExpired');
}

const state = (demo) => demo.page.textContent('#state');
const withSDK = ['--web-sdk', bundlePath(newest)];

group('the demo page', { backends: ['chromium'] }, (check) => {
  check('says where the SDK is to be had when there is none', async (w) => {
    const demo = await visit(w);
    await demo.page.waitForSelector('#missing:not([hidden])');
    assert.match(await demo.page.textContent('#missing'), /npm pack agora-chat/);
    assert.equal(await demo.page.isVisible('#app'), false);
  });

  check('logs in, talks and logs out', async (w) => {
    await w.serve(...withSDK);
    const demo = await visit(w);
    await login(demo, { life: 600, handling: 'correct' });
    assert.equal(await state(demo), 'online');
    await demo.page.fill('#text', 'hello <b>there</b>');
    await demo.page.click('#send');
    const { data } = await demo.event('onTextMessage');
    assert.equal(data, 'echo: hello <b>there</b>');
    await demo.page.click('#logout');
    await demo.event('onDisconnected');
    assert.equal(await state(demo), 'logged out');
  });

  check('handled correctly, the token never runs out', async (w) => {
    await w.serve(...withSDK);
    const demo = await visit(w);
    await login(demo, { life: 10, handling: 'correct' });
    const first = await demo.event('renewToken resolved', { within: 20_000 });
    await demo.event('renewToken resolved', { after: first, within: 20_000 });
    assert.deepEqual(demo.all('onTokenExpired'), []);
    assert.notEqual(await state(demo), 'expired');
  });

  check('a renewal that fails is made good by a new login', async (w) => {
    await w.serve(...withSDK);
    const demo = await visit(w);
    await login(demo, { life: 10, handling: 'correct' });
    const expired = await loseRenewal(demo);
    await demo.event('onConnected', { after: expired });
  });

  check('handled as documented, a renewal after the end leaves the user offline', async (w) => {
    await w.serve(...withSDK);
    const demo = await visit(w);
    await login(demo, { life: 5, handling: 'documented' });
    const expired = await loseRenewal(demo);
    await demo.event('renewToken failed', { after: expired });
    await sleep(3_000);
    assert.equal(demo.all('onConnected').length, 1);
    assert.equal(await state(demo), 'expired');
  });

  check('handled not at all, the countdown ends and the user is out', async (w) => {
    await w.serve(...withSDK);
    const demo = await visit(w);
    await login(demo, { life: 4, handling: 'none' });
    await demo.event('onTokenWillExpire');
    await demo.event('onTokenExpired');
    await demo.event('onDisconnected');
    assert.equal(await state(demo), 'expired');
    await demo.page.waitForFunction(() => document.getElementById('expires').textContent === 'now');
  });
});
