// Login and logout, and how a login is refused.

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';
import { appToken, expiredToken, forgedToken, userToken } from '../lib/tokens.mjs';

// refused logs in and checks that the SDK's rejection, onError and onDisconnected all carry the type, and that the socket is closed.
async function refused(w, user, accessToken, type) {
  const client = await w.client(user);
  await assert.rejects(client.call('open', { user, accessToken }), { name: 'Error', type });
  await client.event('onError', { where: (error) => error.type === type });
  await client.event('onDisconnected', { where: (error) => error?.type === type });
  const emulator = await w.emulator();
  assert.equal((await emulator.entry('session.refused')).code, type);
  assert.deepEqual(client.all('onConnected'), []);
  assert.equal(emulator.entries('session.refused').length, 1, 'the SDK does not try such a login again');
}

group('login', {}, (check) => {
  check('with a user token', async (w) => {
    const token = userToken('alice');
    const alice = await w.client('alice');
    const opened = await alice.call('open', { user: 'alice', accessToken: token });
    assert.deepEqual(opened, { accessToken: token });
    assert.equal(alice.all('onConnected').length, 1, 'onConnected comes before open() resolves');
    const emulator = await w.emulator();
    assert.equal((await emulator.entry('session.opened')).user, 'alice');
    assert.deepEqual(emulator.entries('rest.request'), [], 'a token needs no REST call');
  });

  check('with agoraToken', async (w) => {
    const agoraToken = userToken('alice');
    const alice = await w.login('alice', { open: () => ({ agoraToken }) });
    assert.deepEqual(alice.opened, { accessToken: agoraToken });
    const emulator = await w.emulator();
    assert.deepEqual(emulator.entries('rest.request'), [], '1.4.0 never exchanges it');
  });

  check('with a token of the token server', async (w) => {
    const { ready } = await w.emulator();
    const answer = await fetch(ready.token_url, { method: 'POST', body: JSON.stringify({ user_uuid: 'alice', expire: 600 }) });
    const { token } = await answer.json();
    await w.login('alice', { open: () => ({ accessToken: token }) });
  });

  check('with a token that names the UUID of the user', async (w) => {
    const made = await w.rest('POST', 'users', { username: 'alice', password: 'secret' });
    await w.login('alice', { open: () => ({ accessToken: userToken(made.body.entities[0].uuid) }) });
  });

  check('with a password', async (w) => {
    await w.serve('--users', 'alice:secret');
    const alice = await w.login('alice', { open: () => ({ pwd: 'secret' }) });
    assert.equal(typeof alice.opened.accessToken, 'string');
    assert.equal(alice.opened.duration, 24 * 3600);
  });

  check('with a wrong password', async (w) => {
    await w.serve('--users', 'alice:secret');
    const alice = await w.client('alice');
    await assert.rejects(alice.call('open', { user: 'alice', pwd: 'guess' }), (error) => {
      assert.equal(error.type, 1);
      assert.match(JSON.stringify(error.rejection), /invalid password/);
      return true;
    });
    assert.deepEqual((await w.emulator()).entries('session.opened'), []);
  });

  check('of a user registered by the SDK', async (w) => {
    const alice = await w.client('alice');
    const { ready } = await w.emulator();
    const service = { appKey: `${ready.org}#${ready.app}`, apiUrl: ready.rest_url };
    await alice.call('registerUser', { username: 'alice', password: 'secret', nickname: 'Al', ...service });
    await alice.call('open', { user: 'alice', pwd: 'secret' });
    await alice.event('onConnected');
  });

  check('with the listen style of the documents', async (w) => {
    const alice = await w.login('alice', { legacy: true, open: () => ({ agoraToken: userToken('alice') }) });
    const bob = await w.login('bob');
    await alice.event('onOpened');
    await bob.say('alice', 'hello');
    const got = await alice.event('onTextMessage');
    assert.equal(got.data.data, 'hello');
    assert.equal(got.data.from, 'bob');
    assert.equal(got.data.type, 'singleChat', 'the legacy name, which agoraToken brings');
  });

  check('with an appId and no DNS, whose REST paths begin with ///', async (w) => {
    const { ready } = await w.emulator();
    const alice = await w.login('alice', { options: { appKey: undefined, appId: ready.app_id } });
    const { status } = await alice.renew(userToken('alice', 7200));
    assert.equal(status, true);
    const emulator = await w.emulator();
    assert.match((await emulator.entry('rest.request', { where: (e) => e.method === 'GET' })).path, /^\/\/\//);
  });

  check('refused: an expired token is 56', (w) => refused(w, 'alice', expiredToken('alice'), 56));
  check('refused: a forged token is 28', (w) => refused(w, 'alice', forgedToken('alice'), 28));
  check("refused: another user's token is 28", (w) => refused(w, 'alice', userToken('bob'), 28));
  check('refused: an app token is 28', (w) => refused(w, 'alice', appToken(), 28));
  check('refused: garbage is 28', (w) => refused(w, 'alice', 'not-a-token', 28));
  check('refused: an unknown user is 204', async (w) => {
    await w.serve('--closed-registration');
    await refused(w, 'nobody', userToken('nobody'), 204);
  });

  check('works on the same connection after a refusal', async (w) => {
    const alice = await w.client('alice');
    await assert.rejects(alice.call('open', { user: 'alice', accessToken: expiredToken('alice') }), { type: 56 });
    await alice.event('onDisconnected');
    await alice.call('open', { user: 'alice', accessToken: userToken('alice') });
    await alice.event('onConnected');
  });

  check('ends with close(), and a new login follows', async (w) => {
    const alice = await w.login('alice');
    await alice.close();
    const gone = await alice.event('onDisconnected');
    assert.equal(gone.data, null, 'no reason: the app wanted it');
    const emulator = await w.emulator();
    assert.equal((await emulator.entry('session.closed')).reason, 'the client closed');
    await assert.rejects(alice.say('bob', 'too late'), { type: 39 });
    await alice.call('open', { user: 'alice', accessToken: userToken('alice') });
    await alice.event('onConnected', { after: gone });
  });
});
