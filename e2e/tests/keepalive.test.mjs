// A connection on which nobody says anything. The SDK's heartbeats come after 30 s of silence at the earliest (protocol.md a.4), so this
// takes its time: over a minute, or four with E2E_LONG=1.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';

const long = process.env.E2E_LONG === '1';
const silence = long ? 240_000 : 72_000;

group('keepalive', {}, (check) => {
  check('heartbeats keep a silent connection, and it still works', async (w) => {
    const alice = await w.login('alice', { options: { heartBeatWait: 5000 } });
    await sleep(silence);
    assert.deepEqual(alice.all('onReconnecting'), []);
    const emulator = await w.emulator();
    const beats = emulator.entries('frame.in', (e) => e.frame.startsWith('UNREAD')).length - 1; // the first belongs to the login
    assert(beats >= Math.floor(silence / 36_000), `${beats} heartbeats`);
    await alice.say('echo', 'awake');
    await alice.event('onTextMessage');
  }, { timeout: silence + 180_000 });

  check('a heartbeat in the last fifth warns again', async (w) => {
    const alice = await w.login('alice', { life: 37, options: { heartBeatWait: 500 } });
    const first = await alice.event('onTokenWillExpire', { within: 55_000 });
    // The warning comes after 80 % of 36 to 37 s, the first heartbeat after 30 s and a bit, the end after both.
    const second = await alice.event('onTokenWillExpire', { after: first, within: 15_000 });
    assert(second.at - first.at > 200);
    await alice.event('onTokenExpired');
  });
});
