// The control API's triggers.

import assert from 'node:assert/strict';

// trigger makes the emulator push an event to a user's SDKs now.
export async function trigger(w, event, body) {
  const { ready } = await w.emulator();
  const response = await fetch(`${ready.control_url}/trigger/${event}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.text());
}
