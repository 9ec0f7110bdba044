// Messages that wait, and several devices of one user.

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';

const texts = (client) => client.all('onTextMessage').map((e) => e.data.msg);

group('offline messages', {}, (check) => {
  check('are synced at login, between start and finish', async (w) => {
    const alice = await w.login('alice');
    for (const msg of ['one', 'two', 'three']) await alice.say('bob', msg);
    const bob = await w.login('bob');
    const start = await bob.event('onOfflineMessageSyncStart');
    const finish = await bob.event('onOfflineMessageSyncFinish');
    assert.deepEqual(texts(bob), ['one', 'two', 'three']);
    for (const message of bob.all('onTextMessage')) assert(start.index < message.index && message.index < finish.index);
  });

  check('of several peers all come', async (w) => {
    for (const name of ['alice', 'carol', 'dave']) {
      const peer = await w.login(name);
      await Promise.all(Array.from({ length: 60 }, (_, i) => peer.say('bob', `${name} ${i}`))); // more than one batch
    }
    const bob = await w.login('bob');
    await bob.event('onOfflineMessageSyncFinish');
    for (const name of ['alice', 'carol', 'dave']) {
      assert.deepEqual(texts(bob).filter((t) => t.startsWith(name)), Array.from({ length: 60 }, (_, i) => `${name} ${i}`));
    }
    assert.equal(texts(bob).length, 180);
  });

  check('come once: not again at the next login', async (w) => {
    const alice = await w.login('alice');
    await alice.say('bob', 'only once');
    const bob = await w.login('bob');
    await bob.event('onTextMessage');
    const emulator = await w.emulator();
    await emulator.entry('message.delivered', { where: (e) => e.user === 'bob' });
    await bob.close();
    const again = await w.login('bob');
    await alice.say('bob', 'the next one');
    await again.event('onTextMessage', { where: (m) => m.msg === 'the next one' });
    assert.deepEqual(texts(again), ['the next one']);
  });

  check('sent while only online users are meant do not wait', async (w) => {
    const alice = await w.login('alice');
    await alice.say('bob', 'now or never', { deliverOnlineOnly: true });
    await alice.say('bob', 'whenever');
    const bob = await w.login('bob');
    await bob.event('onTextMessage', { where: (m) => m.msg === 'whenever' });
    assert.deepEqual(texts(bob), ['whenever']);
  });
});

group('two devices', {}, (check) => {
  check('both get what comes in', async (w) => {
    const alice = await w.login('alice');
    const devices = [await w.login('bob'), await w.login('bob')];
    await alice.say('bob', 'for all of you');
    for (const device of devices) await device.event('onTextMessage', { where: (m) => m.msg === 'for all of you' });
  });

  check('what one sends is mirrored on the other, once', async (w) => {
    const alice = await w.login('alice');
    const phone = await w.login('bob');
    const laptop = await w.login('bob');
    const sent = await phone.say('alice', 'from the phone');
    const { data } = await laptop.event('onTextMessage');
    assert.deepEqual([data.id, data.from, data.to, data.msg], [sent.serverMsgId, 'bob', 'alice', 'from the phone']);
    await laptop.say('alice', 'from the laptop');
    await phone.event('onTextMessage', { where: (m) => m.msg === 'from the laptop' });
    await alice.event('onTextMessage', { where: (m) => m.msg === 'from the laptop' });
    assert.deepEqual(texts(phone), ['from the laptop']);
    assert.deepEqual(texts(laptop), ['from the phone']);
    assert.deepEqual(texts(alice), ['from the phone', 'from the laptop']);
  });

  check('one of them leaves, the other stays', async (w) => {
    const alice = await w.login('alice');
    const phone = await w.login('bob');
    const laptop = await w.login('bob');
    await phone.close();
    await alice.say('bob', 'who is left?');
    await laptop.event('onTextMessage');
    assert.deepEqual(laptop.all('onDisconnected'), []);
  });
});
