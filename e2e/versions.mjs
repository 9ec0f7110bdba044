// What each SDK version does, as data (reference/protocol-versions.md). The keys are name@version as npm has them.

// Family W80: plain WebSocket, the token goes into the provision, its answer carries the clock.
const W80 = {
  family: 'W80',
  sockjs: false, // the option `url` is a ws:// address; otherwise the http:// base of a SockJS endpoint
  exchanges: false, // agoraToken costs a POST /token, and only with it does the SDK know when the token ends
  opensEarly: false, // open() resolves before there is a socket
  warnsAt: 0.8, // the part of the life after which onTokenWillExpire comes
  refused: { expired: 56, forged: 28 }, // a login with agoraToken
  refusedProvision: ['onError', 56], // a login with an expired accessToken: where it shows, and as what; null for nowhere
  renewsForOthers: false, // renewToken takes another user's token, because the request names no user
  disconnectReason: true, // onDisconnected says why
  reconnectEvent: true, // onReconnecting exists
  offlineEvents: true, // onOfflineMessageSyncStart and Finish exist
  sendTime: true, // send() returns message.time
};

// Family W50: the same, with an earlier warning.
const W50 = { ...W80, family: 'W50', warnsAt: 0.5 };

// Family S: SockJS.
const S = { ...W50, family: 'S', sockjs: true, opensEarly: true };

// Family E: SockJS, and agoraToken is traded for a Chat token over REST. A refused trade makes open() reject with 12.
const E = {
  ...S, family: 'E', exchanges: true, refused: { expired: 12, forged: 12 }, refusedProvision: null, renewsForOthers: true,
  disconnectReason: false, offlineEvents: false, sendTime: false,
};

export const versions = {
  'agora-chat@1.4.0': { ...W80, bundle: 'agora-chat/Agora-chat.js' },
  'agora-chat@1.3.1': { ...S, bundle: 'agora-chat-1.3.1/Agora-chat.js' },
  'agora-chat@1.2.2-2': { ...S, bundle: 'agora-chat-1.2.2/Agora-chat.js', offlineEvents: false },
  'agora-chat@1.1.0': { ...E, bundle: 'agora-chat-1.1.0/Agora-chat.js' },
  'agora-chat@1.0.8': { ...E, bundle: 'agora-chat-1.0.8/Agora-chat.js', reconnectEvent: false, refusedProvision: ['conn.onError', 40] },
  'easemob-websdk@4.21.1': { ...W80, bundle: 'easemob-websdk/Easemob-chat.js' },
  'easemob-websdk@4.13.0': { ...W50, bundle: 'easemob-websdk-4.13.0/Easemob-chat.js' },
  'easemob-websdk@4.7.0': { ...S, bundle: 'easemob-websdk-4.7.0/Easemob-chat.js', disconnectReason: false, offlineEvents: false },
};

export const newest = 'agora-chat@1.4.0';
