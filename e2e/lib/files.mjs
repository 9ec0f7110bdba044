// Where the SDK bundles are, and a tiny server of 127.0.0.1 that gives a browser the page with one of them.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { versions } from '../versions.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const driverPath = here('./sdk-page.js');

export const bundlePath = (sdk) => here(`../node_modules/${versions[sdk].bundle}`);

export async function serveFiles() {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1');
    const sdk = searchParams.get('sdk');
    const answer = (type, body) => response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'max-age=3600' }).end(body);
    if (pathname === '/page') {
      answer('text/html', `<!doctype html><title>e2e</title><link rel="icon" href="data:,">
<script src="/sdk.js?sdk=${encodeURIComponent(sdk)}"></script><script src="/driver.js"></script>`);
    } else if (pathname === '/sdk.js' && versions[sdk]) {
      answer('text/javascript; charset=utf-8', readFileSync(bundlePath(sdk)));
    } else if (pathname === '/driver.js') {
      answer('text/javascript; charset=utf-8', readFileSync(driverPath));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
