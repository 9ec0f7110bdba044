// What one user sends another, and what comes back for it.

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';

// pair logs two users in.
async function pair(w, options) {
  const alice = await w.login('alice', { options });
  const bob = await w.login('bob', { options });
  return { alice, bob };
}

// arrives sends a message from alice to bob and checks that sender and receiver agree on its id and time.
async function arrives(w, message, event) {
  const { alice, bob } = await pair(w);
  const sent = await alice.send({ to: 'bob', ...message });
  const { data: got } = await bob.event(event);
  assert.equal(got.id, sent.serverMsgId);
  assert.equal(got.time, sent.message.time);
  assert.equal(got.from, 'alice');
  assert.equal(got.to, 'bob');
  assert.equal(got.chatType, 'singleChat');
  const { data: stored } = await alice.event('onReceivedMessage');
  assert.deepEqual([stored.id, stored.mid], [sent.localMsgId, sent.serverMsgId]);
  return got;
}

group('messages', {}, (check) => {
  const texts = {
    plain: 'hello',
    Unicode: 'Zażółć gęślą jaźń — 你好，世界 — שלום — مرحبا',
    emoji: '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇵🇱',
    'with every kind of line end': 'one\ntwo\r\nthree\u2028four\tfive',
    'of 5 KB': 'abcdefgh'.repeat(640),
  };
  for (const [what, msg] of Object.entries(texts)) {
    check(`text ${what}`, async (w) => {
      const got = await arrives(w, { type: 'txt', msg }, 'onTextMessage');
      assert.equal(got.msg, msg);
      assert.equal(got.type, 'txt');
    });
  }

  check('text with an ext of every kind', async (w) => {
    const ext = {
      yes: true, no: false, int: 42, negative: -7, big: 2 ** 40, double: 0.1,
      string: 'żółw', empty: '', list: [1, 'two', null], object: { deep: { er: [] } },
    };
    const got = await arrives(w, { type: 'txt', msg: 'with ext', ext }, 'onTextMessage');
    assert.deepEqual(got.ext, ext);
  });

  check('command', async (w) => {
    const got = await arrives(w, { type: 'cmd', action: 'TypingBegin', ext: { why: 'test' } }, 'onCmdMessage');
    assert.equal(got.action, 'TypingBegin');
    assert.deepEqual(got.ext, { why: 'test' });
  });

  check('custom', async (w) => {
    const got = await arrives(w, { type: 'custom', customEvent: 'order', customExts: { id: '17', state: 'paid' } }, 'onCustomMessage');
    assert.equal(got.customEvent, 'order');
    assert.deepEqual(got.customExts, { id: '17', state: 'paid' });
  });

  check('location', async (w) => {
    const place = { lat: 52.2297, lng: 21.0122, addr: 'Warszawa', buildingName: 'Pałac' };
    const got = await arrives(w, { type: 'loc', ...place }, 'onLocationMessage');
    assert.deepEqual([got.lat, got.lng, got.addr, got.buildingName], [52.2297, 21.0122, 'Warszawa', 'Pałac']);
  });

  check('to oneself', async (w) => {
    const alice = await w.login('alice');
    const sent = await alice.say('alice', 'a note');
    assert.match(sent.serverMsgId, /^\d+$/);
  });

  check('echo says it back and confirms it', async (w) => {
    const alice = await w.login('alice');
    const sent = await alice.say('echo', 'is anybody there?');
    const { data: got } = await alice.event('onTextMessage');
    assert.deepEqual([got.from, got.msg], ['echo', 'is anybody there?']);
    const { data: delivered } = await alice.event('onDeliveredMessage');
    assert.equal(delivered.mid, sent.serverMsgId);
  });

  check('a burst arrives whole and in order', async (w) => {
    const { alice, bob } = await pair(w);
    const all = Array.from({ length: 120 }, (_, i) => `number ${i}`);
    await Promise.all(all.map((msg) => alice.say('bob', msg)));
    await bob.event('onTextMessage', { where: (m) => m.msg === all.at(-1), within: 20_000 });
    assert.deepEqual(bob.all('onTextMessage').map((e) => e.data.msg), all);
  });

  check('both ways at once', async (w) => {
    const { alice, bob } = await pair(w);
    const all = Array.from({ length: 30 }, (_, i) => `number ${i}`);
    await Promise.all(all.flatMap((msg) => [alice.say('bob', msg), bob.say('alice', msg)]));
    for (const client of [alice, bob]) {
      await client.event('onTextMessage', { where: (m) => m.msg === all.at(-1) });
      assert.deepEqual(client.all('onTextMessage').map((e) => e.data.msg), all);
    }
  });

  check('from many peers, none of them lost', async (w) => {
    const alice = await w.login('alice');
    const peers = [];
    for (const name of ['bob', 'carol', 'dave', 'erin']) peers.push(await w.login(name));
    await Promise.all(peers.flatMap((peer) => ['one', 'two', 'three'].map((msg) => peer.say('alice', `${peer.user} ${msg}`))));
    for (const peer of peers) {
      await alice.event('onTextMessage', { where: (m) => m.msg === `${peer.user} three` });
      const got = alice.all('onTextMessage').filter((e) => e.data.from === peer.user);
      assert.deepEqual(got.map((e) => e.data.msg), ['one', 'two', 'three'].map((msg) => `${peer.user} ${msg}`));
    }
  });
});

group('receipts', {}, (check) => {
  check('delivery', async (w) => {
    const { alice, bob } = await pair(w, { delivery: true });
    const sent = await alice.say('bob', 'did you get it?');
    await bob.event('onTextMessage');
    const { data } = await alice.event('onDeliveredMessage');
    assert.equal(data.mid, sent.serverMsgId);
  });

  check('read', async (w) => {
    const { alice, bob } = await pair(w);
    const sent = await alice.say('bob', 'did you read it?');
    await bob.event('onTextMessage');
    await bob.send({ type: 'read', to: 'alice', id: sent.serverMsgId });
    const { data } = await alice.event('onReadMessage');
    assert.equal(data.mid, sent.serverMsgId);
    assert.equal(data.from, 'bob');
  });

  check('of a whole conversation', async (w) => {
    const { alice, bob } = await pair(w);
    await alice.say('bob', 'one');
    await bob.event('onTextMessage');
    await bob.send({ type: 'channel', to: 'alice' });
    const { data } = await alice.event('onChannelMessage');
    assert.equal(data.from, 'bob');
  });

  check('recall', async (w) => {
    const { alice, bob } = await pair(w);
    const sent = await alice.say('bob', 'never mind');
    await bob.event('onTextMessage');
    await alice.call('recallMessage', { mid: sent.serverMsgId, to: 'bob', chatType: 'singleChat' });
    const { data } = await bob.event('onRecallMessage');
    assert.equal(data.mid, sent.serverMsgId);
    assert.equal(data.from, 'alice');
  });

  check('edit', async (w) => {
    const { alice, bob } = await pair(w);
    const sent = await alice.say('bob', 'helo');
    await bob.event('onTextMessage');
    const { message } = await alice.edit('bob', sent.serverMsgId, 'hello');
    assert.equal(message.msg, 'hello');
    const { data } = await bob.event('onModifiedMessage');
    assert.equal(data.id, sent.serverMsgId);
    assert.equal(data.msg, 'hello');
    assert.equal(data.modifiedInfo.operatorId, 'alice');
    assert.equal(data.modifiedInfo.operationCount, 1);
  });
});

group('messages whose ids collide', {}, (check) => {
  // The SDK numbers its own delivery receipts and the app's messages with two counters over the same clock, so an answer written at once
  // often has the id of a receipt. None of the two may be taken for the other sent again.
  check('an answer written at once to a burst arrives', async (w) => {
    const { alice, bob } = await pair(w, { delivery: true });
    const all = Array.from({ length: 20 }, (_, i) => `number ${i}`);
    await bob.answerWhen('onTextMessage', 'alice', 'all there');
    await Promise.all(all.map((msg) => alice.say('bob', msg)));
    for (let i = 0, last; i < all.length; i++) last = await alice.event('onTextMessage', { after: last });
    for (let i = 0, last; i < all.length; i++) last = await alice.event('onDeliveredMessage', { after: last });
    alice.forgive(/reading 'to'/);
    bob.forgive(/reading 'to'/); // what the SDK makes of two answers to one id
  });
});

group('refused messages', {}, (check) => {
  const refusals = {
    'to a group is 605': [{ to: '1234', chatType: 'groupChat', msg: 'hi' }, 605],
    'of more than 5 KB is 511': [{ to: 'bob', msg: 'x'.repeat(7_000) }, 511],
  };
  for (const [what, [message, type]] of Object.entries(refusals)) {
    check(what, async (w) => {
      const alice = await w.login('alice');
      await assert.rejects(alice.send({ type: 'txt', ...message }), { type });
      await alice.say('bob', 'the connection is none the worse');
    });
  }

  check('to a name that nobody can have are rejected, not left hanging', async (w) => {
    const alice = await w.login('alice');
    await assert.rejects(alice.say('Not A User!', 'hi'), { name: 'Error' });
  });

  check('to an unknown user, where registration is closed', async (w) => {
    await w.serve('--closed-registration', '--users', 'alice');
    const alice = await w.login('alice');
    await assert.rejects(alice.say('nobody', 'hi'), (error) => typeof error.type === 'number');
  });
});
