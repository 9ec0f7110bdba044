// Opens pages in jsdom: fast, and good enough for whatever is no question of a real browser.

import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { JSDOM, ResourceLoader, VirtualConsole } from 'jsdom';
import { bundlePath, driverPath } from '../files.mjs';
import { forbidTheOutside, foreign } from './loopback.mjs';
import { watch } from './rejections.mjs';

const scripts = new Map();

function script(path) {
  if (!scripts.has(path)) scripts.set(path, new Script(readFileSync(path, 'utf8'), { filename: path }));
  return scripts.get(path);
}

export async function start(pretended = []) {
  forbidTheOutside(pretended);
  return {
    foreign,

    // open makes a page of its own, with its own storage, in which the SDK and the driver are loaded.
    async open({ sdk, report }) {
      const dom = new JSDOM('<!doctype html><title>e2e</title>', {
        url: 'http://127.0.0.1/',
        runScripts: 'outside-only',
        pretendToBeVisual: true,
        resources: new ResourceLoader({ strictSSL: false }), // the emulator's certificate is its own
        virtualConsole: new VirtualConsole(), // the SDK is talkative
      });
      // Every browser has this one; where it is missing the SDK takes promises of its own, which run much later than real ones.
      dom.window.PromiseRejectionEvent = class extends dom.window.Event {};
      // The SDK makes an address for a file that it never looks at.
      dom.window.URL.createObjectURL = () => 'blob:e2e';
      dom.window.report = (text) => report(JSON.parse(text));
      const context = dom.getInternalVMContext();
      for (const path of [bundlePath(sdk), driverPath]) script(path).runInContext(context);
      const uncaught = (reason) => report({ at: Date.now(), name: 'uncaught', data: String(reason?.message ?? reason) });
      dom.window.addEventListener('error', (event) => uncaught(event.error ?? event.message));
      const unwatch = watch(dom.window, uncaught);
      return {
        evaluate: async (expression) => {
          const result = await dom.window.eval(expression);
          return result === undefined ? undefined : JSON.parse(JSON.stringify(result));
        },
        close: async () => {
          dom.window.close();
          unwatch();
        },
      };
    },

    async stop() {},
  };
}
