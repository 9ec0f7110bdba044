// Messages with files: uploaded by the sender's SDK, downloaded by the receiver's page.

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';

// The smallest PNG there is, and bytes that no text codec leaves alone.
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const noise = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256)).toString('base64');

const file = (name, type, bytes) => ({ name, type, bytes });
const someFile = { type: 'file', filename: 'noise.bin', file: file('noise.bin', 'application/octet-stream', noise) };

// sent sends a message with a file from alice to bob and returns what bob received.
async function sent(w, message, event) {
  const alice = await w.login('alice');
  const bob = await w.login('bob');
  await alice.send({ to: 'bob', ...message });
  const uploaded = await alice.event('onFileUploadComplete', { within: 0 });
  const { data: got } = await bob.event(event);
  assert.equal(got.from, 'alice');
  assert.match(got.url, new RegExp(`/chatfiles/${uploaded.data.entities[0].uuid}`));
  return { got, alice, bob };
}

async function downloads(client, url, bytes) {
  const file = await client.download(url);
  assert.equal(file.status, 200);
  assert(file.bytes === bytes, `${Buffer.from(file.bytes, 'base64').length} bytes came, not the ones that were sent`);
}

group('files', {}, (check) => {
  check('image', async (w) => {
    const message = { type: 'img', width: 1, height: 1, file: file('dot.png', 'image/png', png) };
    const { got, bob } = await sent(w, message, 'onImageMessage');
    assert.deepEqual([got.width, got.height, got.file_length], [1, 1, Buffer.from(png, 'base64').length]);
    await downloads(bob, got.url, png);
    assert.equal((await bob.download(got.thumb)).status, 200);
  });

  check('file', async (w) => {
    const { got, bob } = await sent(w, someFile, 'onFileMessage');
    assert.deepEqual([got.filename, got.file_length], ['noise.bin', 70_000]);
    await downloads(bob, got.url, noise);
  });

  check('audio', async (w) => {
    const message = { type: 'audio', filename: 'a.amr', length: 3, file: file('a.amr', 'audio/amr', noise) };
    const { got, bob } = await sent(w, message, 'onAudioMessage');
    assert.deepEqual([got.filename, got.length], ['a.amr', 3]);
    await downloads(bob, got.url, noise);
  });

  check('video', async (w) => {
    const message = { type: 'video', filename: 'v.mp4', length: 7, file: file('v.mp4', 'video/mp4', noise) };
    const { got, bob } = await sent(w, message, 'onVideoMessage');
    assert.deepEqual([got.filename, got.length], ['v.mp4', 7]);
    await downloads(bob, got.url, noise);
  });

  check('a file so large that the SDK asks for an upload in parts first', async (w) => {
    const zeros = { name: 'large.bin', type: 'application/octet-stream', size: 8 << 20 };
    const { got } = await sent(w, { type: 'file', filename: 'large.bin', file: zeros }, 'onFileMessage');
    assert.equal(got.file_length, 8 << 20);
  });

  check('a wrong secret opens nothing', async (w) => {
    const { got, bob } = await sent(w, someFile, 'onFileMessage');
    const url = new URL(got.url);
    url.searchParams.set('share-secret', 'guess');
    assert((await bob.download(url.href)).status >= 400);
  });

  check('combined messages', async (w) => {
    const alice = await w.login('alice');
    const bob = await w.login('bob');
    const parts = [];
    for (const msg of ['one', 'two']) parts.push((await alice.say('carol', msg)).message);
    const shown = { title: 'Two messages', summary: 'one, two', compatibleText: 'not shown' };
    await alice.send({ type: 'combine', to: 'bob', messageList: parts, ...shown });
    const { data: got } = await bob.event('onMessage', { where: (list) => list[0].type === 'combine' });
    assert.deepEqual([got[0].title, got[0].summary], ['Two messages', 'one, two']);
    const list = await bob.call('downloadAndParseCombineMessage', { url: got[0].url, secret: got[0].secret });
    assert.deepEqual(list.map((m) => [m.from, m.msg]), [['alice', 'one'], ['alice', 'two']]);
  });
});
