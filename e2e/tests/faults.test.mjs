// Faults from the control API, and the SDK's documented errors that they cause (protocol.md d).

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';
import { addFault, clearFaults, trigger, turnClock } from '../lib/control.mjs';
import { near } from '../lib/life.mjs';
import { userToken } from '../lib/tokens.mjs';

// An answer to the login's UNREAD that is dated after a jump of the clock would end the session before anything else does.
async function loginAnswered(w) {
  const emulator = await w.emulator();
  await emulator.entry('frame.out', { where: (e) => e.frame.startsWith('UNREAD') });
}

const login = (client) => client.call('open', { user: client.user, accessToken: userToken(client.user) });

group('faults on provision', {}, (check) => {
  for (const [status, reason, type] of [
    ['FAIL', 'Sorry, token expired', 56],
    ['FAIL', 'Sorry, token or password does not match login info', 28],
    ['FAIL', 'Sorry, user not found', 204],
    ['FAIL', 'something else', 2],
    ['UNAUTHORIZED', 'no', 2],
    ['WRONG_PARAMETER', 'no', -3],
    ['PERMISSION_DENIED', 'Sorry, the app online count limit', 50],
    ['IM_FORBIDDEN', 'no', 57],
    ['TOKEN_EXPIRED', 'Sorry, token expired', 2],
  ]) {
    check(`${status} "${reason}" is ${type}`, async (w) => {
      await addFault(w, 'provision', 'status', { status, reason });
      const alice = await w.client('alice');
      await assert.rejects(login(alice), { type });
      await alice.event('onError', { where: (error) => error.type === type });
      assert.deepEqual(alice.all('onConnected'), []);
    });
  }

  check('silence is a timeout after three attempts', async (w) => {
    await addFault(w, 'provision', 'silence');
    const alice = await w.client('alice');
    await assert.rejects(login(alice), { type: -1 });
    assert.equal((await w.emulator()).entries('fault.applied').length, 3);
  });

  check('a close before the answer is tried again', async (w) => {
    await addFault(w, 'provision', 'close', {}, { count: 1 });
    const alice = await w.client('alice');
    await login(alice);
    await alice.event('onConnected');
  });

  check('without auth_token nobody hears of the end', async (w) => {
    await addFault(w, 'provision', 'no-auth-token');
    const alice = await w.login('alice', { life: 3 });
    await sleep(4_500);
    assert.deepEqual([...alice.all('onTokenWillExpire'), ...alice.all('onTokenExpired')], []);
  });

  check('a relative expires_in ends the session at once', async (w) => {
    await addFault(w, 'provision', 'relative-expiry');
    const alice = await w.login('alice');
    await alice.event('onTokenExpired', { within: 2_000 });
    await alice.event('onDisconnected');
  });

  check('a chosen expiry counts, not the token', async (w) => {
    await addFault(w, 'provision', 'expiry', { in: '5s' });
    const alice = await w.login('alice', { life: 86_400 });
    const start = (await alice.event('onConnected')).at;
    near(await alice.event('onTokenWillExpire'), start + 4_000);
    near(await alice.event('onTokenExpired'), start + 5_000);
  });
});

group('faults on messages', {}, (check) => {
  for (const [status, reason, type] of [
    ['FAIL', 'blocked', 603],
    ['FAIL', 'group not found', 605],
    ['FAIL', 'nonroster', 221],
    ['FAIL', 'something else', 503],
    ['PERMISSION_DENIED', 'sensitive words', 501],
    ['PERMISSION_DENIED', 'user is mute', 219],
    ['PERMISSION_DENIED', 'traffic limit', 509],
    ['USER_MUTED', 'no', 507],
    ['PERMISSION_DENIED_EXTERNAL', 'no', 502],
    ['UNAUTHORIZED', 'no', 604],
    ['TOKEN_EXPIRED', 'no', 604],
  ]) {
    check(`${status} "${reason}" is ${type}`, async (w) => {
      const alice = await w.login('alice');
      await addFault(w, 'message', 'status', { status, reason }, { count: 1 });
      await assert.rejects(alice.say('bob', 'refused'), { type });
      await alice.say('bob', 'the next one gets through');
    });
  }

  check('no answer for 15 s is 512, and the SDK connects again', async (w) => {
    const alice = await w.login('alice');
    const connected = alice.all('onConnected')[0];
    await addFault(w, 'message', 'no-answer', {}, { count: 1 });
    await assert.rejects(alice.say('bob', 'hello?'), { type: 512 });
    await alice.event('onConnected', { after: connected, within: 15_000 });
    await alice.say('bob', 'there you are');
  });

  check('frames that come twice are shown once', async (w) => {
    const alice = await w.login('alice');
    const bob = await w.login('bob');
    await addFault(w, 'link', 'duplicate', { direction: 'out' }, { user: 'bob' });
    for (const msg of ['one', 'two', 'three']) await alice.say('bob', msg);
    await bob.event('onTextMessage', { where: (m) => m.msg === 'three' });
    assert.deepEqual(bob.all('onTextMessage').map((e) => e.data.msg), ['one', 'two', 'three']);
  });
});

group('kicks on demand', {}, (check) => {
  for (const code of [206, 207, 216, 217]) {
    check(`${code}`, async (w) => {
      const alice = await w.login('alice');
      assert.equal((await trigger(w, 'kick', { user: 'alice', code })).connections, 1);
      await alice.event('onError', { where: (error) => error.type === code });
      assert.equal((await alice.event('onDisconnected')).data.type, code);
    });
  }
});

group('faults around an expiry', {}, (check) => {
  check('a server clock that is ahead warns at once', async (w) => {
    await turnClock(w, { offset: '55m' });
    const alice = await w.login('alice', { life: 3600 });
    await alice.event('onTokenWillExpire', { within: 2_000 });
    assert.deepEqual(alice.all('onTokenExpired'), []);
  });

  check('a server clock that is past the end refuses the login', async (w) => {
    await turnClock(w, { offset: '2h' });
    const alice = await w.client('alice');
    await assert.rejects(login(alice), { type: 56 });
  });

  check('a reconnect with an expired token is refused with 56 each time', async (w) => {
    const alice = await w.login('alice', { life: 3600 });
    await loginAnswered(w);
    await turnClock(w, { jump: '2h' });
    await trigger(w, 'cut', { user: 'alice' });
    const gone = await alice.event('onDisconnected', { within: 20_000 });
    assert.equal(gone.data.type, 16);
    assert.equal(alice.all('onError').filter((e) => e.data.type === 56).length, 5);
    assert.deepEqual(alice.all('onTokenExpired'), []);
  });

  check('the token ends while the SDK reconnects', async (w) => {
    const alice = await w.login('alice', { life: 5 });
    const end = Date.parse((await (await w.emulator()).entry('session.opened')).expires_at);
    await addFault(w, 'link', 'refuse');
    await trigger(w, 'cut', { user: 'alice' });
    await alice.event('onReconnecting');
    near(await alice.event('onTokenExpired'), end);
    await clearFaults(w);
    await sleep(4_000);
    assert.equal((await w.emulator()).entries('session.opened').length, 1, 'an expired user does not come back');
  });

  check('a renewal that the service cannot answer leaves the session alone', async (w) => {
    const alice = await w.login('alice');
    await addFault(w, 'rest', 'status', { status: 401, path: 'sdk/users/*/token/expires' }, { count: 1 });
    await assert.rejects(alice.renew(userToken('alice')), { type: 52 });
    await addFault(w, 'rest', 'status', { status: 503, path: 'sdk/users/*/token/expires' }, { count: 1 });
    await assert.rejects(alice.renew(userToken('alice')));
    assert.equal((await alice.renew(userToken('alice'))).status, true);
    await alice.say('bob', 'still here');
  });

  check('a revoked token does not renew, and a fresh one does', async (w) => {
    const alice = await w.login('alice');
    const old = userToken('alice');
    await sleep(1_100); // a token names the second of its issue
    await trigger(w, 'revoke', { user: 'alice' });
    await assert.rejects(alice.renew(old), { type: 52 });
    await alice.say('bob', 'the session goes on');
    assert.equal((await alice.renew(userToken('alice'))).status, true);
  });

  check('a service that enforces the end closes, and the SDK is refused', async (w) => {
    await addFault(w, 'expiry', 'close');
    const alice = await w.login('alice', { life: 3600 });
    await loginAnswered(w);
    await turnClock(w, { jump: '1h' });
    await alice.event('onReconnecting');
    await alice.event('onError', { where: (error) => error.type === 56 });
  });
});
