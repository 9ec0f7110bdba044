// The same checks for every SDK version, each with its own expectations (versions.mjs). docs/sdk-versions.md is made of their results.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group, groups } from '../lib/check.mjs';
import { lifeOf, near, roomy, untilRoomyWarning } from '../lib/life.mjs';
import { expiredToken, forgedToken, userToken } from '../lib/tokens.mjs';
import { trigger } from '../lib/control.mjs';
import { versions } from '../versions.mjs';

const posts = (emulator) => emulator.entries('rest.request', (e) => e.method === 'POST' && e.path.endsWith('/token'));
const gets = (emulator) => emulator.entries('rest.request', (e) => e.method === 'GET' && e.path.endsWith('/token/expires'));

// refused checks that a login with agoraToken fails with the version's code, wherever that version says it.
async function refused(w, agoraToken, type) {
  const alice = await w.client('alice');
  const opening = alice.call('open', { user: 'alice', agoraToken });
  if (w.expect.opensEarly && !w.expect.exchanges) await opening;
  else await assert.rejects(opening, (error) => w.expect.exchanges || error.type === type);
  const { data } = await alice.event('onError', { where: (error) => error.type === type });
  if (type === 12) assert.equal(data.data.type, 52);
  assert.deepEqual(alice.all('onConnected'), []);
}

const checks = {
  'log in': async (w) => {
    const alice = await w.client('alice');
    const agoraToken = userToken('alice');
    const opened = await alice.call('open', { user: 'alice', agoraToken });
    assert.equal(alice.all('onConnected').length, w.expect.opensEarly ? 0 : 1);
    await alice.event('onConnected');
    const emulator = await w.emulator();
    const session = await emulator.entry('session.opened');
    assert.equal(posts(emulator).length, w.expect.exchanges ? 1 : 0);
    if (w.expect.exchanges) {
      assert.notEqual(opened.accessToken, agoraToken);
      assert.equal(opened.expireTimestamp, Date.parse(session.expires_at));
    } else {
      assert.equal(opened.accessToken, agoraToken);
    }
  },

  'log in with accessToken': async (w) => {
    const alice = await w.login('alice', { open: () => ({ accessToken: userToken('alice') }) });
    assert.deepEqual(posts(await w.emulator()), []);
    await alice.say('echo', 'hello');
    await alice.event('onTextMessage');
  },

  'log in with a password': async (w) => {
    await w.serve('--users', 'alice:secret');
    const alice = await w.login('alice', { open: () => ({ pwd: 'secret' }) });
    await alice.say('echo', 'hello');
    await alice.event('onTextMessage');
  },

  'exchange messages': async (w) => {
    const alice = await w.login('alice', { options: { delivery: true } });
    const bob = await w.login('bob', { options: { delivery: true } });
    const ext = { n: 1, s: 'x', o: { deep: true } };
    const sent = await alice.say('bob', 'zażółć 👍', { ext });
    const { data: got } = await bob.event('onTextMessage');
    assert.deepEqual([got.id, got.from, got.msg, got.ext], [sent.serverMsgId, 'alice', 'zażółć 👍', ext]);
    if (w.expect.sendTime) assert.equal(sent.message.time, got.time);
    assert.equal((await alice.event('onDeliveredMessage')).data.mid, sent.serverMsgId);
    await bob.send({ type: 'read', to: 'alice', id: sent.serverMsgId });
    assert.equal((await alice.event('onReadMessage')).data.mid, sent.serverMsgId);
    await bob.send({ type: 'cmd', to: 'alice', action: 'TypingBegin' });
    assert.equal((await alice.event('onCmdMessage')).data.action, 'TypingBegin');
    await bob.send({ type: 'custom', to: 'alice', customEvent: 'gift', customExts: { n: '1' } });
    assert.deepEqual((await alice.event('onCustomMessage')).data.customExts, { n: '1' });
    await alice.call('recallMessage', { mid: sent.serverMsgId, to: 'bob', chatType: 'singleChat' });
    assert.equal((await bob.event('onRecallMessage')).data.mid, sent.serverMsgId);
  },

  'a burst arrives once and in order': async (w) => {
    const alice = await w.login('alice', { options: { delivery: true } });
    const bob = await w.login('bob', { options: { delivery: true } });
    const all = Array.from({ length: 20 }, (_, i) => `number ${i}`);
    await Promise.all(all.map((msg) => alice.say('bob', msg)));
    await bob.event('onTextMessage', { where: (m) => m.msg === all.at(-1) });
    for (let i = 0, last; i < all.length; i++) last = await alice.event('onDeliveredMessage', { after: last });
    assert.deepEqual(bob.all('onTextMessage').map((e) => e.data.msg), all);
  },

  'get offline messages': async (w) => {
    const alice = await w.login('alice');
    for (const msg of ['one', 'two']) await alice.say('bob', msg);
    const bob = await w.login('bob');
    await bob.event('onTextMessage', { where: (m) => m.msg === 'two' });
    assert.deepEqual(bob.all('onTextMessage').map((e) => e.data.msg), ['one', 'two']);
    if (w.expect.offlineEvents) await bob.event('onOfflineMessageSyncFinish');
    else assert.deepEqual(bob.all('onOfflineMessageSyncStart'), []);
  },

  'warn, expire and close': async (w) => {
    const alice = await w.login('alice', { life: 8 });
    const { warning, end } = await lifeOf(w, alice);
    near(await alice.event('onTokenWillExpire'), warning);
    near(await alice.event('onTokenExpired'), end);
    await alice.event('onDisconnected');
    await sleep(2_500);
    assert.equal(alice.all('onTokenWillExpire').length, 1);
    assert.equal((await w.emulator()).entries('session.opened').length, 1);
  },

  'renew in time': async (w) => {
    const alice = await w.login('alice', { life: roomy });
    const { end } = await lifeOf(w, alice);
    await alice.renewWhen('onTokenWillExpire', userToken('alice'));
    const emulator = await w.emulator();
    await emulator.entry('session.renewed', untilRoomyWarning);
    await sleep(end - Date.now() + 1_000);
    assert.equal(posts(emulator).length, w.expect.exchanges ? 2 : 0);
    assert.equal(gets(emulator).length, w.expect.exchanges ? 0 : 1);
    assert.deepEqual(alice.all('onTokenExpired'), []);
    await alice.say('bob', 'still here');
  },

  'a renewal with a bad token is refused': async (w) => {
    const alice = await w.login('alice');
    await assert.rejects(alice.renew('not-a-token'), { type: 52 });
    await assert.rejects(alice.renew(expiredToken('alice')), { type: 52 });
    await alice.say('bob', 'still here');
  },

  "a renewal with another user's token": async (w) => {
    const alice = await w.login('alice');
    const renewal = alice.renew(userToken('bob'));
    if (w.expect.renewsForOthers) await renewal;
    else await assert.rejects(renewal, { type: 52 });
    await alice.say('bob', 'still here');
  },

  'a login with an expired token is refused': (w) => refused(w, expiredToken('alice'), w.expect.refused.expired),
  'a login with a forged token is refused': (w) => refused(w, forgedToken('alice'), w.expect.refused.forged),

  'a refused provision': async (w) => {
    const alice = await w.client('alice');
    await alice.call('open', { user: 'alice', accessToken: expiredToken('alice') }).catch(() => {});
    if (w.expect.refusedProvision) {
      const [event, type] = w.expect.refusedProvision;
      await alice.event(event, { where: (error) => error.type === type });
    } else {
      await alice.event('onDisconnected');
      assert.deepEqual(alice.all('onError'), []);
    }
    assert.deepEqual(alice.all('onConnected'), []);
  },

  'be kicked': async (w) => {
    const alice = await w.login('alice');
    await w.rest('GET', 'users/alice/disconnect');
    await alice.event('onError', { where: (error) => error.type === 217 });
    const gone = await alice.event('onDisconnected');
    if (w.expect.disconnectReason) assert.equal(gone.data.type, 217);
    await sleep(2_500);
    assert.equal((await w.emulator()).entries('session.opened').length, 1);
  },

  'reconnect after a cut': async (w) => {
    const cable = await w.cable();
    const alice = await w.login('alice', { cable });
    const bob = await w.login('bob');
    const connected = alice.all('onConnected')[0];
    cable.cut();
    cable.mend();
    if (w.expect.reconnectEvent) await alice.event('onReconnecting');
    await alice.event('onConnected', { after: connected });
    await bob.say('alice', 'welcome back');
    await alice.event('onTextMessage');
  },

  'log out': async (w) => {
    const alice = await w.login('alice');
    await alice.close();
    await alice.event('onDisconnected');
    await (await w.emulator()).entry('session.closed');
  },

  'warn when the emulator says so': async (w) => {
    const alice = await w.login('alice');
    await trigger(w, 'will-expire', { user: 'alice' });
    await alice.event('onTokenWillExpire', { within: 2_000 });
  },

  'expire when the emulator says so': async (w) => {
    const alice = await w.login('alice');
    await trigger(w, 'expire', { user: 'alice' });
    await alice.event('onTokenExpired', { within: 2_000 });
    await alice.event('onDisconnected');
  },
};

groups('SDK versions', () => {
  for (const sdk of process.env.E2E_SDK ? [process.env.E2E_SDK] : Object.keys(versions)) {
    group(sdk, { sdk }, (check) => {
      for (const [title, body] of Object.entries(checks)) check(title, body);
    });
  }
});
