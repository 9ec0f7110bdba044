// The control API of the emulator: events now, faults on demand, its clock.

import assert from 'node:assert/strict';

async function call(w, method, path, body) {
  const { ready } = await w.emulator();
  const response = await fetch(`${ready.control_url}/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

// trigger makes the emulator push an event to a user's SDKs now.
export const trigger = (w, event, body) => call(w, 'POST', `trigger/${event}`, body);

// addFault makes something go wrong; params are the fault's parameters, more is count, user, on, after, …
export const addFault = (w, target, kind, params = {}, more = {}) => call(w, 'POST', 'faults', { target, kind, params, ...more });

export const clearFaults = (w) => call(w, 'DELETE', 'faults');

// turnClock changes the emulator's clock: offset, jump, freeze.
export const turnClock = (w, change) => call(w, 'PUT', 'clock', change);
