// A check is a test of node:test with a world of its own. It prints what happened when it fails.

import { after, before, describe, it } from 'node:test';
import { Emulator } from './emulator.mjs';
import { World } from './world.mjs';

const backendName = process.env.E2E_BACKEND ?? 'jsdom';
const concurrency = backendName === 'chromium' ? 4 : 6;

// Whatever pretends nothing shares one backend.
const { start } = await import(`./backends/${backendName}.mjs`);
let common;
after(async () => (await common)?.stop());

// group declares checks that belong together; they share a backend and run side by side. Settings:
//   sdk      the version of the SDK, the newest when left out
//   serve    flags of one emulator for all checks; without it each has its own
//   backends where the checks make sense; everywhere when left out
//   pretend  gives, for that emulator, pairs of a host name and the port of 127.0.0.1 that stands in for it
export function group(name, settings, declare) {
  outermost(() => describeGroup(name, settings, declare));
}

// groups declares groups of which two run side by side.
export function groups(name, declare) {
  outermost(() => describe(name, { concurrency: 2 }, declare));
}

let collected;
let depth = 0;

// outermost runs a declaration now, or leaves it to whoever collects the outermost ones.
function outermost(declare) {
  const run = () => {
    depth++;
    declare();
    depth--;
  };
  if (collected && depth === 0) collected.push(run);
  else run();
}

// collect returns what `load` declares, undeclared.
export async function collect(load) {
  collected = [];
  await load();
  return collected.splice(0);
}

function describeGroup(name, settings, declare) {
  const elsewhere = settings.backends && !settings.backends.includes(backendName);
  const reason = elsewhere ? `is for ${settings.backends.join(', ')}` : undefined;
  describe(name, { concurrency }, () => {
    let backend, shared;
    before(async () => {
      if (reason) return;
      shared = settings.serve && (await Emulator.start(settings.serve));
      backend = settings.pretend ? await start(settings.pretend(shared.ready)) : await (common ??= start());
    });
    after(async () => {
      if (settings.pretend) await backend?.stop();
      await shared?.stop();
    });
    // Only what hangs takes that long; many browser pages at once on two cores are slow.
    declare((title, body, { timeout = 180_000 } = {}) => {
      it(title, { timeout, skip: reason }, async () => {
        const world = new World(backend, settings.sdk, shared);
        try {
          await body(world);
          world.noTrouble();
        } catch (error) {
          process.stdout.write(`\nFAILED: ${name}: ${title} (${backendName})\n${await world.timeline()}\n\n`);
          throw error;
        } finally {
          await world.end();
        }
      });
    });
  });
}
