// What an app asks right after login. The answers are true and have the shape that the SDK reads, if often empty.

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';

// talk logs alice in after bob has written to her, and both have been online.
async function talk(w) {
  const bob = await w.login('bob');
  for (const msg of ['one', 'two']) await bob.say('alice', msg);
  const alice = await w.login('alice');
  await alice.event('onTextMessage', { where: (m) => m.msg === 'two' });
  await (await w.emulator()).entry('message.delivered', { where: (e) => e.user === 'alice' });
  return { alice, bob };
}

// empty are calls that answer with nothing: method, arguments, and where the SDK puts the answer.
const empty = {
  'all contacts': ['getAllContacts', []],
  contacts: ['getContacts', []],
  'contacts, page by page': ['getContactsWithCursor', [{ pageSize: 20, cursor: '' }], (data) => data.contacts],
  'blocked users': ['getBlocklist', []],
  'joined groups': ['getJoinedGroups', [{ pageNum: 0, pageSize: 20 }]],
  'pinned conversations': ['getServerPinnedConversations', [{ pageSize: 20, cursor: '' }], (data) => data.conversations],
  'the own devices elsewhere': ['getSelfIdsOnOtherPlatform', []],
};

group('right after login', {}, (check) => {
  for (const [what, [method, args, list = (data) => data]] of Object.entries(empty)) {
    check(what, async (w) => {
      const alice = await w.login('alice');
      const { data } = await alice.call(method, ...args);
      assert.deepEqual(list(data), []);
    });
  }

  check('conversations', async (w) => {
    const { alice } = await talk(w);
    const { data } = await alice.call('getServerConversations', { pageSize: 20, cursor: '' });
    assert.equal(data.conversations.length, 1);
    const [conversation] = data.conversations;
    assert.deepEqual([conversation.conversationId, conversation.conversationType], ['bob', 'singleChat']);
    assert.equal(conversation.lastMessage.msg, 'two');
  });

  check('conversations as the UI kit asks for them', async (w) => {
    const { alice } = await talk(w);
    const { data } = await alice.call('getConversationlist', { pageNum: 1, pageSize: 20 });
    assert.equal(data.channel_infos.length, 1);
    assert.equal(data.channel_infos[0].lastMessage.msg, 'two');
  });

  check('history, the newest first', async (w) => {
    const { alice } = await talk(w);
    const page = await alice.call('getHistoryMessages', { targetId: 'bob', chatType: 'singleChat', pageSize: 20 });
    assert.deepEqual(page.messages.map((m) => [m.from, m.msg]), [['bob', 'two'], ['bob', 'one']]);
    assert.equal(page.isLast, true);
  });

  check('history, page by page', async (w) => {
    const { alice } = await talk(w);
    const first = await alice.call('getHistoryMessages', { targetId: 'bob', chatType: 'singleChat', pageSize: 1 });
    assert.deepEqual(first.messages.map((m) => m.msg), ['two']);
    const second = await alice.call('getHistoryMessages', { targetId: 'bob', chatType: 'singleChat', pageSize: 1, cursor: first.cursor });
    assert.deepEqual(second.messages.map((m) => m.msg), ['one']);
  });

  check('presence of others', async (w) => {
    const { alice } = await talk(w);
    const { result } = await alice.call('subscribePresence', { usernames: ['bob'], expiry: 3600 }).then((answer) => answer.data);
    assert.deepEqual(result.map((p) => p.uid), ['bob']);
    const status = await alice.call('getPresenceStatus', { usernames: ['bob'] });
    assert.equal(status.data.result[0].uid, 'bob');
    assert.equal(Object.values(status.data.result[0].status)[0], '1', 'bob is online');
  });

  check('user attributes are kept', async (w) => {
    const { alice, bob } = await talk(w);
    await bob.call('updateUserInfo', { nickname: 'Bobby' });
    const { data } = await alice.call('fetchUserInfoById', ['bob', 'alice']);
    assert.equal(data.bob.nickname, 'Bobby');
    assert(data.alice, 'a user without attributes is in the answer, too');
  });

  check('push settings', async (w) => {
    const { alice } = await talk(w);
    await alice.call('getSilentModeForAll');
    await alice.call('getSilentModeForConversations', { conversationList: [{ id: 'bob', type: 'singleChat' }] });
    await alice.call('uploadPushToken', { deviceId: 'd', deviceToken: 't', notifierName: 'n' });
    await alice.call('getPushPerformLanguage');
  });

  check('what is not simulated is refused at once, and harms nothing', async (w) => {
    const alice = await w.login('alice');
    const refused = (e) => typeof e.type === 'number';
    const group = { groupname: 'g', desc: '', members: [], public: true, approval: false, allowinvites: true, inviteNeedConfirm: false };
    await assert.rejects(alice.call('createGroup', { data: group }), refused);
    await assert.rejects(alice.call('getGroupInfo', { groupId: '1' }), refused);
    await assert.rejects(alice.call('addReaction', { messageId: '1', reaction: 'x' }), refused);
    await alice.say('bob', 'all is well');
  });
});
