// Tokens made and read by the official packages: agora-token for AccessToken2 (007), agora-access-token for AccessToken (006).
// Each maker returns the token, and what `ttlchat token inspect --json` has to say of it.

import { createRequire } from 'node:module';
import * as random from './tokens-random.mjs';

const require = createRequire(import.meta.url);
const v2 = require('agora-token/src/AccessToken2');
const v1 = require('agora-access-token/src/AccessToken');

const seven = ['ServiceChat', 'ServiceRtc', 'ServiceRtm', 'ServiceStreaming', 'ServiceFpa', 'ServiceFCdn', 'ServiceApaas', 'ServiceRtm2',
  'ServiceConvoAI', 'ServiceStt'];

function service(name) {
  const user = random.user();
  const channel = random.channel();
  switch (name) {
    case 'ServiceChat': return [new v2.ServiceChat(user), { type: 5, name: 'chat', user }];
    case 'ServiceRtc': {
      const uid = random.pick([random.uid(), user]);
      return [new v2.ServiceRtc(channel, uid), { type: 1, name: 'rtc', channel, ...(uid !== 0 && { user: String(uid) }) }];
    }
    case 'ServiceRtm': return [new v2.ServiceRtm(user), { type: 2, name: 'rtm', user }];
    case 'ServiceStreaming': return [new v2.ServiceStreaming(channel, user), { type: 3, name: 'streaming', channel, user }];
    case 'ServiceFpa': return [new v2.ServiceFpa(), { type: 4, name: 'fpa' }];
    case 'ServiceFCdn': return [new v2.ServiceFCdn(channel, user), { type: 6, name: 'fcdn', channel, user }];
    case 'ServiceApaas': {
      const role = random.below(2 ** 16) - 2 ** 15;
      return [new v2.ServiceApaas(channel, user, role), { type: 7, name: 'apaas', channel, user, role }];
    }
    case 'ServiceRtm2': {
      const permissions = new v2.Rtm2Permissions();
      const names = Array.from({ length: random.below(4) }, random.channel);
      permissions.add(v2.Rtm2Permissions.kUsers, v2.Rtm2Permissions.kWrite, names);
      return [new v2.ServiceRtm2(user, permissions), { type: 8, name: 'rtm2', user, permissions: [{ Resource: 'users', Right: 'write', Names: names }] }];
    }
    case 'ServiceConvoAI': return [new v2.ServiceConvoAI(), { type: 9, name: 'convoai' }];
    default: return [new v2.ServiceStt(), { type: 10, name: 'stt' }];
  }
}

// make007 makes a token of one to three services with random privileges.
export function make007({ appId, certificate }) {
  const token = new v2.AccessToken2(appId, certificate, random.issued(), random.life());
  const wanted = [];
  const names = [...new Set(Array.from({ length: 1 + random.below(3) }, () => random.pick(seven)))];
  for (const name of names) {
    const [made, says] = service(name);
    const privileges = new Map(Array.from({ length: random.below(5) }, () => [1 + random.below(5), random.life()]));
    for (const [id, seconds] of privileges) made.add_privilege(id, seconds);
    token.add_service(made);
    wanted.push({ ...says, privileges: [...privileges].sort(([a], [b]) => a - b).map(([id, life_s]) => ({ id, life_s })) });
  }
  wanted.sort((a, b) => a.type - b.type);
  return {
    text: token.build(),
    says: { version: '007', app_id: appId, issued_at: token.issueTs, life_s: token.expire, salt: token.salt, services: wanted, signature: 'genuine' },
  };
}

// make006 makes a token for rtc or rtm. `channel` and `user` are needed to check its signature.
export function make006({ appId, certificate }) {
  const rtm = random.below(4) === 0;
  const user = random.pick([random.uid(), random.user()]);
  const channel = rtm ? random.user() : random.channel();
  const token = rtm ? new v1.AccessToken(appId, certificate, channel, '') : new v1.AccessToken(appId, certificate, channel, user);
  token.salt = random.below(2 ** 32);
  token.ts = random.issued() + 86400;
  const ids = rtm ? [v1.priviledges.kRtmLogin] : [1, ...[2, 3, 4, 101].filter(() => random.below(2))];
  const privileges = ids.map((id) => ({ id, date: random.pick([0, random.issued()]) }));
  for (const { id, date } of privileges) token.addPriviledge(id, date);
  return {
    text: token.build(),
    names: rtm ? { user: channel } : { channel, user: String(user) },
    says: { version: '006', app_id: appId, salt: token.salt, privileges },
  };
}

// read007 is what agora-token reads and verifies.
export function read007(text, certificate) {
  const token = new v2.AccessToken2('', '', 0, 0);
  if (!token.from_string(text)) throw new Error('agora-token cannot read it');
  return {
    genuine: token.verifySignature(certificate), appId: String(token.appId), issued: token.issueTs, life: token.expire,
    services: token.services.map((s) => ({
      type: s.service_type(), privileges: s.__privileges, user: s.__user_id ?? s.__uid, channel: s.__channel_name,
    })).map((s) => JSON.parse(JSON.stringify(s, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString() : value)))),
  };
}

// read006 is what agora-access-token reads. It has no check of signatures, but the same fields must make the same token.
export function read006(text, { appId, certificate }, channel, user) {
  const token = new v1.AccessToken(appId, certificate, channel, user);
  if (!token.fromString(text)) throw new Error('agora-access-token cannot read it');
  return { genuine: token.build() === text, ends: token.ts, privileges: token.messages };
}
