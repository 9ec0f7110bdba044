// Checks that wait for something the emulator cannot do yet: group → check → what is missing. `*` is every check of the group. They are
// skipped with that reason; `node run.mjs --pending` runs them all the same.

import { versions } from './versions.mjs';

const control = 'the control API';
const triggers = { 'warn when the emulator says so': control, 'expire when the emulator says so': control };

export const pending = {
  triggers: { '*': control },
  ...Object.fromEntries(Object.keys(versions).map((sdk) => [sdk, triggers])),
};
