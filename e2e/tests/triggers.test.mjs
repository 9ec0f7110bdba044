// The emulator's strongest trick: an app's own SDK lives through an expiry now, however long its token lives (protocol.md d.3).

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';
import { userToken } from '../lib/tokens.mjs';
import { trigger } from '../lib/control.mjs';

group('triggers', {}, (check) => {
  check('will-expire makes the SDK warn now', async (w) => {
    const alice = await w.login('alice', { life: 86_400 });
    const bob = await w.login('bob', { life: 86_400 });
    await trigger(w, 'will-expire', { user: 'alice' });
    await alice.event('onTokenWillExpire', { within: 2_000 });
    assert.equal((await alice.renew(userToken('alice'))).status, true);
    await alice.say('bob', 'still here');
    await bob.event('onTextMessage');
    assert.deepEqual(bob.all('onTokenWillExpire'), [], 'it was for alice alone');
  });

  check('expire makes the SDK expire and close now', async (w) => {
    const alice = await w.login('alice', { life: 86_400 });
    await trigger(w, 'expire', { user: 'alice' });
    await alice.event('onTokenExpired', { within: 2_000 });
    await alice.event('onDisconnected');
    await alice.call('open', { user: 'alice', accessToken: userToken('alice') });
    await alice.event('onConnected', { after: alice.all('onDisconnected')[0] });
  });
});
