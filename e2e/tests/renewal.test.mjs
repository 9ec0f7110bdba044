// renewToken: before, at and after the end, and with tokens that are no good.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';
import { lifeOf, near, roomy } from '../lib/life.mjs';
import { expiredToken, forgedToken, userToken } from '../lib/tokens.mjs';

const renewals = (emulator) => emulator.entries('rest.request', (e) => e.method === 'GET' && e.path.endsWith('/token/expires'));

group('renewToken', {}, (check) => {
  check('before the warning moves warning and end', async (w) => {
    const alice = await w.login('alice', { life: 8 });
    const old = await lifeOf(w, alice);
    await sleep(2_000);
    const token = userToken('alice', 12);
    const renewedAt = Date.now();
    const renewed = await alice.renew(token);
    assert.equal(renewed.status, true);
    assert.equal(renewed.token, token);
    const emulator = await w.emulator();
    const session = await emulator.entry('session.renewed');
    const end = Date.parse(session.expires_at);
    assert.equal(renewed.expire, end);
    const warning = await alice.event('onTokenWillExpire', { within: 15_000 });
    assert(warning.at > old.end, 'the old end passes without a word');
    near(warning, renewedAt + 0.8 * (end - renewedAt));
    near(await alice.event('onTokenExpired'), end);
    assert.equal(alice.all('onTokenWillExpire').length, 1);
    assert.equal(alice.all('onTokenExpired').length, 1);
  });

  check('on the warning, as every app should, keeps the user online', async (w) => {
    const alice = await w.login('alice', { life: roomy });
    const { end } = await lifeOf(w, alice);
    await alice.renewWhen('onTokenWillExpire', userToken('alice'));
    await sleep(end - Date.now() + 1_000);
    assert.deepEqual(alice.all('onTokenExpired'), []);
    assert.deepEqual(alice.all('onDisconnected'), []);
    await alice.say('bob', 'still here');
  });

  check('in onTokenExpired comes too late', async (w) => {
    const alice = await w.client('alice');
    await alice.renewWhen('onTokenExpired', userToken('alice', 3600));
    await alice.call('open', { user: 'alice', accessToken: userToken('alice', 4) });
    await alice.event('onTokenExpired');
    await alice.event('onDisconnected');
    const emulator = await w.emulator();
    await emulator.entry('session.closed');
    await sleep(2_500);
    assert.equal(emulator.entries('session.opened').length, 1, 'the user stays offline');
    await assert.rejects(alice.say('bob', 'am I here?'), { type: 39 });
  });

  check('after the expiry is refused without a request', async (w) => {
    const alice = await w.login('alice', { life: 3 });
    await alice.event('onDisconnected');
    await assert.rejects(alice.renew(userToken('alice')), (error) => error.rejection.status === false);
    assert.deepEqual(renewals(await w.emulator()), []);
  });

  const refusals = {
    garbage: () => 'not-a-token',
    'a forged token': () => forgedToken('alice'),
    "another user's token": () => userToken('bob'),
    'an expired token': () => expiredToken('alice'),
  };
  for (const [what, token] of Object.entries(refusals)) {
    check(`with ${what} is refused with 52, and the session goes on`, async (w) => {
      const alice = await w.login('alice', { life: 5 });
      const { end } = await lifeOf(w, alice);
      await assert.rejects(alice.renew(token()), { type: 52 });
      assert.equal((await w.emulator()).entries('session.renewed').length, 0);
      await alice.say('bob', 'still here');
      near(await alice.event('onTokenExpired'), end);
    });
  }

  check('carries a reconnect past the old expiry', async (w) => {
    const cable = await w.cable();
    const alice = await w.login('alice', { life: 4, cable });
    const { end } = await lifeOf(w, alice);
    await alice.renew(userToken('alice'));
    await sleep(end - Date.now() + 500);
    cable.cut();
    cable.mend();
    const again = await alice.event('onReconnecting');
    await alice.event('onConnected', { after: again });
    await alice.say('bob', 'past the end');
  });
});
