// A connection that breaks, with a living token and with a dead one.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';
import { lifeOf, near } from '../lib/life.mjs';

const texts = (client) => client.all('onTextMessage').map((e) => e.data.msg);

group('a broken line', {}, (check) => {
  check('is mended by the SDK, with the same token', async (w) => {
    const cable = await w.cable();
    const alice = await w.login('alice', { cable });
    const bob = await w.login('bob');
    cable.cut();
    cable.mend();
    const again = await alice.event('onReconnecting');
    await alice.event('onConnected', { after: again });
    await bob.say('alice', 'welcome back');
    await alice.event('onTextMessage');
    await alice.say('bob', 'thanks');
    await bob.event('onTextMessage');
  });

  check('keeps what others sent meanwhile', async (w) => {
    const cable = await w.cable();
    const alice = await w.login('alice', { cable });
    const bob = await w.login('bob');
    cable.cut();
    await alice.event('onReconnecting');
    await (await w.emulator()).entry('session.closed');
    for (const msg of ['one', 'two']) await bob.say('alice', msg);
    cable.mend();
    await alice.event('onTextMessage', { where: (m) => m.msg === 'two' });
    assert.deepEqual(texts(alice), ['one', 'two']);
  });

  check('sends what was written meanwhile, once', async (w) => {
    const cable = await w.cable();
    const alice = await w.login('alice', { cable });
    const bob = await w.login('bob');
    cable.cut();
    await alice.event('onReconnecting');
    const sends = [alice.say('bob', 'written'), alice.say('bob', 'while down')];
    cable.mend();
    await Promise.all(sends);
    await alice.say('bob', 'after it');
    await bob.event('onTextMessage', { where: (m) => m.msg === 'after it' });
    assert.deepEqual(texts(bob), ['written', 'while down', 'after it']);
  });

  check('that stays broken ends with 16 after 5 attempts', async (w) => {
    const cable = await w.cable();
    const alice = await w.login('alice', { cable });
    cable.cut();
    const gone = await alice.event('onDisconnected', { within: 30_000 });
    assert.equal(gone.data.type, 16);
    assert.equal(alice.all('onReconnecting').length, 5);
    cable.mend();
    await sleep(2_500);
    assert.equal(alice.all('onConnected').length, 1);
  });
});

group('a broken line and an expiring token', {}, (check) => {
  check('the token runs out while the SDK reconnects', async (w) => {
    const cable = await w.cable();
    const alice = await w.login('alice', { life: 5, cable });
    const { end } = await lifeOf(w, alice);
    cable.cut();
    await alice.event('onReconnecting');
    near(await alice.event('onTokenExpired'), end);
    cable.mend();
    await sleep(4_000);
    assert.equal((await w.emulator()).entries('session.opened').length, 1, 'an expired user does not come back');
  });

  check('a reconnect with an expired token is refused with 56 each time, and the last word is 16', async (w) => {
    const cable = await w.cable();
    // The page's clock is slow, so the SDK still trusts a token that has ended for the service.
    const alice = await w.login('alice', { life: 4, clock: -60_000, cable });
    const { end } = await lifeOf(w, alice);
    await sleep(end - Date.now() + 500);
    cable.cut();
    cable.mend();
    await alice.event('onError', { where: (e) => e.type === 56, within: 5_000 });
    const gone = await alice.event('onDisconnected', { within: 20_000 });
    assert.equal(gone.data.type, 16);
    assert.equal(alice.all('onError').filter((e) => e.data.type === 56).length, 5);
    assert.deepEqual(alice.all('onTokenExpired'), [], 'this path says nothing of expiry');
    assert.equal((await w.emulator()).entries('session.refused', (e) => e.code === 56).length, 5);
  });
});
