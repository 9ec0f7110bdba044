// The life of a token as the SDK lives it: the warning and the end.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';
import { lifeOf, near } from '../lib/life.mjs';
import { userToken } from '../lib/tokens.mjs';

group('expiry', {}, (check) => {
  check('warns at 80 %, then expires and closes', async (w) => {
    const alice = await w.login('alice', { life: 10 });
    const { warning, end } = await lifeOf(w, alice);
    near(await alice.event('onTokenWillExpire', { within: 12_000 }), warning);
    const expired = await alice.event('onTokenExpired', { within: 12_000 });
    near(expired, end);
    const gone = await alice.event('onDisconnected');
    assert.equal(gone.data, null);
    assert(gone.index > expired.index);
    const emulator = await w.emulator();
    await emulator.entry('session.closed');
    await sleep(3_000); // long enough for a reconnect, which waits 1 to 2 s
    assert.equal(alice.all('onTokenWillExpire').length, 1);
    assert.equal(alice.all('onTokenExpired').length, 1);
    assert.deepEqual(alice.all('onReconnecting'), []);
    assert.equal(emulator.entries('session.opened').length, 1, 'nobody comes back by itself');
    await assert.rejects(alice.say('bob', 'too late'), { type: 39 });
  });

  check('warns and expires in the listen style, too', async (w) => {
    const alice = await w.login('alice', { legacy: true, open: () => ({ agoraToken: userToken('alice', 6) }) });
    await alice.event('onTokenWillExpire');
    await alice.event('onTokenExpired');
    await alice.event('onClosed');
  });

  check('warns again at every heartbeat in the last fifth', async (w) => {
    const alice = await w.login('alice', { life: 20 });
    const { warning } = await lifeOf(w, alice);
    const first = await alice.event('onTokenWillExpire', { within: 20_000 });
    near(first, warning);
    await sleep(100);
    const before = alice.all('onTokenWillExpire').length;
    await sleep(2_100); // the SDK sends no heartbeat within 2 s of the last one
    await alice.call('onShow'); // what an app calls when it comes to the front: a heartbeat at once
    await alice.event('onTokenWillExpire', { after: alice.events.items.at(-1), within: 1_500 });
    assert.equal(alice.all('onTokenWillExpire').length, before + 1);
  });

  check('a login in the last seconds still warns and expires', async (w) => {
    const alice = await w.login('alice', { life: 3 });
    await alice.event('onTokenWillExpire');
    await alice.event('onTokenExpired');
    await alice.event('onDisconnected');
  });

  check('a new login after the expiry works on the same connection', async (w) => {
    const alice = await w.login('alice', { life: 4 });
    const gone = await alice.event('onDisconnected');
    await alice.call('open', { user: 'alice', accessToken: userToken('alice') });
    await alice.event('onConnected', { after: gone });
    await alice.say('bob', 'back again');
  });
});
