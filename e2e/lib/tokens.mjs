// Tokens made by Agora's own npm package, for the emulator's demo project.

import { createRequire } from 'node:module';

const { AccessToken2, ServiceChat } = createRequire(import.meta.url)('agora-token/src/AccessToken2');

const demo = { appId: '74746c636861742d64656d6f2d617070', certificate: '64656d6f2d6365727469666963617465' };
const otherCertificate = '0123456789abcdef0123456789abcdef';

function chatToken(user, privilege, life, { age = 0, certificate = demo.certificate } = {}) {
  const token = new AccessToken2(demo.appId, certificate, Math.floor(Date.now() / 1000) - age, life);
  const service = new ServiceChat(user);
  service.add_privilege(privilege, life);
  token.add_service(service);
  return token.build();
}

// userToken lives `life` seconds, counted from the whole second in which it is made.
export const userToken = (user, life = 3600) => chatToken(user, ServiceChat.kPrivilegeUser, life);

// expiredToken ended a minute ago.
export const expiredToken = (user) => chatToken(user, ServiceChat.kPrivilegeUser, 60, { age: 120 });

// forgedToken is signed with a certificate that is not the app's.
export const forgedToken = (user) => chatToken(user, ServiceChat.kPrivilegeUser, 3600, { certificate: otherCertificate });

export const appToken = (life = 3600) => chatToken('', ServiceChat.kPrivilegeApp, life);
