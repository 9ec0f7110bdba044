// When the events of a token are due, as the emulator knows the token and the page saw the login.

import assert from 'node:assert/strict';

// roomy is a life in seconds whose last fifth is long enough for a renewal, however busy the machine is; untilRoomyWarning lets a check wait
// for what happens then.
export const roomy = 20;
export const untilRoomyWarning = { within: 30_000 };

// lifeOf returns three instants in ms: the login of the client, the warning (at the SDK version's part of the life that was left at the
// login) and the end.
export async function lifeOf(w, client) {
  const emulator = await w.emulator();
  const session = await emulator.entry('session.opened', { where: (e) => e.user === client.user });
  const login = (await client.event('onConnected')).at;
  const end = Date.parse(session.expires_at);
  return { login, warning: login + w.expect.warnsAt * (end - login), end };
}

// near fails when an event is early, or later than a busy machine explains.
export function near(event, due) {
  const late = Math.round(event.at - due);
  assert(late > -200 && late < 1_500, `${event.name} came ${late} ms after it was due`);
}
