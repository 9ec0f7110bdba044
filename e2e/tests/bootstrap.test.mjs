// An SDK that is told no address asks a DNS document where the service is. The host of that document is fixed in the SDK and https,
// so its name is made to lead to the emulator, which shows a certificate of its own.

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';
import { userToken } from '../lib/tokens.mjs';

const host = 'ars.chat.agora.io';
const pretend = (ready) => [[host, Number(new URL(ready.rest_url).port)]];

group('bootstrap', { serve: ['--tls-self-signed'], pretend }, (check) => {
  const identities = {
    'an appId': (ready) => ({ appKey: undefined, appId: ready.app_id }),
    'an app key': () => ({}),
  };
  for (const [what, identity] of Object.entries(identities)) {
    check(`${what} finds the emulator`, async (w) => {
      const emulator = await w.emulator();
      const dns = { ...identity(emulator.ready), isHttpDNS: true, https: true, url: undefined, apiUrl: undefined };
      const user = what.replaceAll(' ', '-').toLowerCase();
      const client = await w.login(user, { options: dns });
      await emulator.entry('rest.request', { where: (e) => e.path === '/easemob/server.json' });
      assert.equal((await client.renew(userToken(user, 7200))).status, true);
    });
  }
});
