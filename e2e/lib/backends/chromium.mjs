// Opens pages in Debian's Chromium, without a window: the truth.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { serveFiles } from '../files.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

// Chromium's own errands are switched off, and no name but the loopback address leads anywhere.
const flags = (pretended) => [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-dev-shm-usage',
  `--host-resolver-rules=${pretended.map(([name, port]) => `MAP ${name} 127.0.0.1:${port}, `).join('')}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
];

// start takes pairs of a host name and the port of 127.0.0.1 that stands in for it.
export async function start(pretended = []) {
  if (!existsSync(executablePath)) throw new Error(`there is no ${executablePath}: install Debian's chromium, or set CHROMIUM`);
  const files = await serveFiles();
  const browser = await chromium.launch({ executablePath, args: flags(pretended) });
  const foreign = [];
  const allowed = new Set(['127.0.0.1', ...pretended.map(([name]) => name)]);
  const watch = (url) => {
    const { protocol, hostname } = new URL(url);
    if (!['data:', 'blob:', 'about:'].includes(protocol) && !allowed.has(hostname)) foreign.push(hostname);
  };
  const idle = [];
  const create = async (report) => {
    const context = await browser.newContext({ ignoreHTTPSErrors: pretended.length > 0 });
    const used = { page: await context.newPage(), report, close: () => context.close() };
    used.page.on('pageerror', (error) => used.report({ at: Date.now(), name: 'uncaught', data: error.message }));
    used.page.on('request', (request) => watch(request.url()));
    used.page.on('websocket', (socket) => watch(socket.url()));
    await used.page.exposeFunction('report', (text) => used.report(JSON.parse(text)));
    return used;
  };
  return {
    foreign,

    // open gives a page with storage of its own. Pages that are done with are used again: a new one costs six times as much.
    async open({ sdk, report }) {
      const used = idle.pop() ?? (await create(report));
      used.report = report;
      await used.page.goto(`${files.origin}/page?sdk=${encodeURIComponent(sdk)}`);
      return {
        evaluate: (expression) => used.page.evaluate(expression),
        close: async () => {
          used.report = () => {};
          await used.page.evaluate('localStorage.clear(); sessionStorage.clear()');
          await used.page.goto('about:blank');
          idle.push(used);
        },
      };
    },

    // visit opens any page of 127.0.0.1, with Playwright's own object to click on.
    async visit({ url, report }) {
      const { page, close } = await create(report);
      await page.goto(url);
      return { page, close };
    },

    async stop() {
      await browser.close();
      await files.close();
    },
  };
}
