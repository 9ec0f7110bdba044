// Our own client and the official SDK meet in one emulator.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group } from '../lib/check.mjs';
import { lifeOf, roomy, untilRoomyWarning } from '../lib/life.mjs';
import { userToken } from '../lib/tokens.mjs';

group('the Go client and the SDK', {}, (check) => {
  for (const profile of ['native', 'web', 'classic']) {
    check(`chat with each other, profile ${profile}`, async (w) => {
      const alice = await w.login('alice', { options: { delivery: true } });
      const gopher = await w.goClient('gopher', '--peer', 'alice', '--profile', profile, '--ttl', '1h');
      await gopher.event('connected');
      gopher.say('hello from Go, żółw 🐢');
      const { data: got } = await alice.event('onTextMessage');
      assert.deepEqual([got.from, got.msg], ['gopher', 'hello from Go, żółw 🐢']);
      const sent = await gopher.event('message.sent');
      assert.equal(sent.data.server_id, got.id);
      const delivered = await gopher.event('message.delivered');
      assert.equal(delivered.data.server_id, got.id);
      const answer = await alice.say('gopher', 'hello from the web, 世界');
      const received = await gopher.event('message.received');
      assert.deepEqual([received.data.from, received.data.text], ['alice', 'hello from the web, 世界']);
      assert.equal(received.data.server_id, answer.serverMsgId);
      await alice.event('onDeliveredMessage', { where: (m) => m.mid === answer.serverMsgId });
    });
  }

  check('both renew in time and go on talking', async (w) => {
    const gopher = await w.goClient('gopher', '--peer', 'alice', '--ttl', `${roomy}s`);
    const alice = await w.login('alice', { life: roomy });
    const { end } = await lifeOf(w, alice);
    await alice.renewWhen('onTokenWillExpire', userToken('alice'));
    await gopher.event('renew.succeeded', untilRoomyWarning);
    await sleep(end - Date.now() + 1_000);
    assert.deepEqual(alice.all('onTokenExpired'), []);
    assert.deepEqual(gopher.all('token.expired'), []);
    gopher.say('renewed');
    await alice.event('onTextMessage', { where: (m) => m.msg === 'renewed' });
  });

  check('the same user in both: what one sends is mirrored on the other', async (w) => {
    const bob = await w.login('bob');
    const web = await w.login('alice');
    const gopher = await w.goClient('alice', '--peer', 'bob', '--ttl', '1h');
    await gopher.event('connected');
    gopher.say('from Go');
    await bob.event('onTextMessage', { where: (m) => m.msg === 'from Go' });
    await web.event('onTextMessage', { where: (m) => m.from === 'alice' && m.msg === 'from Go' });
  });
});
