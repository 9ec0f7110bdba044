// How users are thrown out, and what their SDK makes of it.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';
import { userToken } from '../lib/tokens.mjs';

// kicked checks that the SDK reports the type twice, goes offline and does not come back.
async function kicked(w, client, type) {
  await client.event('onError', { where: (error) => error.type === type });
  const gone = await client.event('onDisconnected');
  assert.equal(gone.data.type, type);
  const emulator = await w.emulator();
  await emulator.entry('session.closed', { where: (e) => e.user === client.user && e.reason.includes(String(type)) });
  const sessions = emulator.entries('session.opened').length;
  await sleep(2_500); // a reconnect would wait 1 to 2 s
  assert.deepEqual(client.all('onReconnecting'), []);
  assert.equal(emulator.entries('session.opened').length, sessions);
  await assert.rejects(client.say('bob', 'too late'), { type: 39 });
  return gone;
}

group('kicks', {}, (check) => {
  check('206: one device too many', async (w) => {
    await w.serve('--max-devices', '1');
    const phone = await w.login('alice');
    const laptop = await w.login('alice');
    await kicked(w, phone, 206);
    assert.deepEqual(laptop.all('onDisconnected'), []);
    await laptop.say('bob', 'I stay');
  });

  check('207: the user is deleted', async (w) => {
    const alice = await w.login('alice');
    assert.equal((await w.rest('DELETE', 'users/alice')).status, 200);
    await kicked(w, alice, 207);
  });

  check('216: the password is changed', async (w) => {
    await w.serve('--users', 'alice:secret');
    const alice = await w.login('alice', { open: () => ({ pwd: 'secret' }) });
    assert.equal((await w.rest('PUT', 'users/alice/password', { newpassword: 'better' })).status, 200);
    await kicked(w, alice, 216);
    await assert.rejects(alice.call('open', { user: 'alice', accessToken: alice.opened.accessToken }), { type: 28 });
    await assert.rejects(alice.call('open', { user: 'alice', pwd: 'secret' }));
    await alice.call('open', { user: 'alice', pwd: 'better' });
  });

  check('217: disconnected over REST', async (w) => {
    const phone = await w.login('alice');
    const laptop = await w.login('alice');
    assert.deepEqual((await w.rest('GET', 'users/alice/disconnect')).body.data, { result: true });
    await Promise.all([kicked(w, phone, 217), kicked(w, laptop, 217)]);
  });

  check('217: one device of two', async (w) => {
    const phone = await w.login('alice');
    const laptop = await w.login('alice');
    const emulator = await w.emulator();
    const device = emulator.entries('session.opened')[0].device;
    const { status, body } = await w.rest('DELETE', `users/alice/disconnect/${device}`);
    assert.equal(status, 200);
    assert.deepEqual(body.data, { result: true });
    await kicked(w, phone, 217);
    assert.deepEqual(laptop.all('onDisconnected'), []);
    await laptop.say('bob', 'I stay');
  });

  check('a new login after a kick works', async (w) => {
    const alice = await w.login('alice');
    await w.rest('POST', 'users/alice/disconnect');
    const gone = await alice.event('onDisconnected');
    await alice.call('open', { user: 'alice', accessToken: userToken('alice') });
    await alice.event('onConnected', { after: gone });
    await alice.say('bob', 'back');
  });
});
