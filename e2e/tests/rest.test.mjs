// What an app's server does over REST while users are online with the SDK.

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';
import { expiredToken, userToken } from '../lib/tokens.mjs';

const send = (w, message) => w.rest('POST', 'messages/users', { from: 'support', to: ['alice'], ...message });

group('REST while users are online', {}, (check) => {
  check('status of one user', async (w) => {
    await w.rest('POST', 'users', [{ username: 'alice', password: 'a' }, { username: 'bob', password: 'b' }]);
    const alice = await w.login('alice');
    assert.deepEqual((await w.rest('GET', 'users/alice/status')).body.data, { alice: 'online' });
    assert.deepEqual((await w.rest('GET', 'users/bob/status')).body.data, { bob: 'offline' });
    await alice.close();
    await (await w.emulator()).entry('session.closed');
    assert.deepEqual((await w.rest('GET', 'users/alice/status')).body.data, { alice: 'offline' });
  });

  check('status of many users', async (w) => {
    await w.rest('POST', 'users', { username: 'bob', password: 'b' });
    await w.login('alice');
    const { status, body } = await w.rest('POST', 'users/batch/status', { usernames: ['alice', 'bob'] });
    assert.equal(status, 200);
    assert.deepEqual(body.data, [{ alice: 'online' }, { bob: 'offline' }]);
  });

  check('the devices of a user', async (w) => {
    await w.login('alice');
    await w.login('alice');
    const { status, body } = await w.rest('GET', 'users/alice/resources');
    assert.equal(status, 200);
    const opened = (await w.emulator()).entries('session.opened').map((e) => e.device);
    assert.deepEqual(body.data.map((d) => d.res).sort(), opened.sort());
    for (const device of body.data) assert.equal(device.device_name, 'webim');
  });

  check('a text', async (w) => {
    const alice = await w.login('alice');
    const { status, body } = await send(w, { type: 'txt', body: { msg: 'We are closing.' }, ext: { urgent: true } });
    assert.equal(status, 200);
    const { data } = await alice.event('onTextMessage');
    assert.deepEqual([data.id, data.from, data.msg, data.ext], [body.data.alice, 'support', 'We are closing.', { urgent: true }]);
  });

  const others = {
    command: [{ type: 'cmd', body: { action: 'refresh' } }, 'onCmdMessage', (m) => m.action === 'refresh'],
    custom: [{ type: 'custom', body: { customEvent: 'gift', customExts: { n: '1' } } }, 'onCustomMessage', (m) => m.customExts.n === '1'],
    location: [
      { type: 'loc', body: { lat: '52.2', lng: '21.0', addr: 'Warszawa' } }, 'onLocationMessage',
      (m) => m.addr === 'Warszawa' && m.lat === 52.2,
    ],
  };
  for (const [what, [message, event, where]] of Object.entries(others)) {
    check(`a ${what}`, async (w) => {
      const alice = await w.login('alice');
      assert.equal((await send(w, message)).status, 200);
      await alice.event(event, { where });
    });
  }

  check('a text for a user who is offline, and one for online users only', async (w) => {
    await w.rest('POST', 'users', { username: 'alice', password: 'a' });
    await send(w, { type: 'txt', body: { msg: 'now or never' }, routetype: 'ROUTE_ONLINE' });
    await send(w, { type: 'txt', body: { msg: 'later' } });
    const alice = await w.login('alice');
    await alice.event('onTextMessage', { where: (m) => m.msg === 'later' });
    assert.equal(alice.all('onTextMessage').length, 1);
  });

  check('a text that the sender is shown as well', async (w) => {
    const alice = await w.login('alice');
    const support = await w.login('support');
    await send(w, { type: 'txt', body: { msg: 'copied' }, sync_device: true });
    await alice.event('onTextMessage');
    const { data } = await support.event('onTextMessage');
    assert.deepEqual([data.from, data.to], ['support', 'alice']);
  });

  check('a deleted user is gone: its token names nobody where registration is closed', async (w) => {
    await w.serve('--closed-registration', '--users', 'alice');
    const alice = await w.login('alice');
    await w.rest('DELETE', 'users/alice');
    await alice.event('onDisconnected', { where: (error) => error.type === 207 });
    await assert.rejects(alice.call('open', { user: 'alice', accessToken: userToken('alice') }), { type: 204 });
  });

  check('a user cannot do what an admin can', async (w) => {
    await w.login('alice');
    for (const [method, path] of [['GET', 'users/alice/status'], ['DELETE', 'users/alice'], ['GET', 'users/alice/disconnect']]) {
      assert.equal((await w.rest(method, path, undefined, { token: userToken('alice') })).status, 401, `${method} ${path}`);
      assert.equal((await w.rest(method, path, undefined, { token: expiredToken('alice') })).status, 401);
      assert.equal((await w.rest(method, path, undefined, { token: '' })).status, 401);
    }
    assert.deepEqual((await w.rest('GET', 'users/alice/status')).body.data, { alice: 'online' });
  });
});
