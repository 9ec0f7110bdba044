// What one check has around it: an emulator of its own, pages with the SDK, and the record of what happened.

import assert from 'node:assert/strict';
import { newest, versions } from '../versions.mjs';
import { Cable } from './cable.mjs';
import { Client } from './client.mjs';
import { Emulator } from './emulator.mjs';
import { GoClient } from './go-client.mjs';
import { render } from './timeline.mjs';
import { appToken, userToken } from './tokens.mjs';

export class World {
  clients = [];
  #pages = [];
  #cables = [];
  #shared;
  #emulator;

  constructor(backend, sdk = newest, shared = undefined) {
    this.backend = backend;
    this.sdk = sdk;
    this.expect = versions[sdk];
    this.#shared = shared;
    this.#emulator = shared && Promise.resolve(shared);
  }

  // serve starts the emulator with flags of its own; without it the first use starts one.
  async serve(...flags) {
    this.#emulator = Emulator.start(flags);
    return this.#emulator;
  }

  emulator() {
    this.#emulator ??= Emulator.start();
    return this.#emulator;
  }

  // cable gives a connection to the emulator that can be cut; pass it to client or login.
  async cable() {
    const { ready } = await this.emulator();
    const cable = await Cable.to(Number(new URL(ready.rest_url).port));
    this.#cables.push(cable);
    return cable;
  }

  // client opens a page with one connection object in it, which is not logged in yet. `options` are the SDK's own and win over the usual
  // ones; `clock` is how wrong the page's clock is, in ms.
  async client(user, { options, legacy, clock, cable, sdk = this.sdk } = {}) {
    const { ready } = await this.emulator();
    const client = await this.page(user, { sdk });
    const socket = new URL(ready.ws_url);
    if (cable) socket.port = cable.port;
    const url = versions[sdk].sockjs ? `http://${socket.host}/ws` : socket.href;
    const all = { appKey: `${ready.org}#${ready.app}`, isHttpDNS: false, url, apiUrl: ready.rest_url, ...options };
    await client.connect(all, { legacy, clock });
    return client;
  }

  // page opens a page without a connection.
  async page(user, { sdk = this.sdk } = {}) {
    const client = new Client(user);
    this.clients.push(client);
    client.page = await this.backend.open({ sdk, report: (event) => client.events.add(event) });
    this.#pages.push(client.page);
    return client;
  }

  // visit opens a page of somebody else's at an address; only a real browser can. Its events are what it passes to report().
  async visit(name, url) {
    const client = new Client(name);
    this.clients.push(client);
    const { page, close } = await this.backend.visit({ url, report: (event) => client.events.add(event) });
    client.page = page;
    this.#pages.push({ close });
    return client;
  }

  // goClient starts our own client.
  async goClient(user, ...flags) {
    const client = new GoClient(user, await this.emulator(), flags);
    this.#pages.push(client);
    this.clients.push(client);
    return client;
  }

  // login opens a page and logs the user in, with a token that lives `life` seconds unless `open` returns other credentials. It is called
  // when the page is there, so that a short life is not spent on loading it.
  async login(user, { life = 3600, open, ...more } = {}) {
    const client = await this.client(user, more);
    const usual = () => ({ [this.expect.exchanges ? 'agoraToken' : 'accessToken']: userToken(user, life) });
    client.opened = await client.call('open', { user, ...(open ?? usual)() });
    await client.event(more.legacy ? 'onOpened' : 'onConnected');
    return client;
  }

  // rest calls the emulator as an app's server does, with an app token unless another one is given.
  async rest(method, path, body, { token = appToken() } = {}) {
    const emulator = await this.emulator();
    const response = await fetch(`${emulator.restBase}/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }

  // noTrouble holds for every check: no page threw where nobody caught it, and nobody but 127.0.0.1 was asked for anything.
  noTrouble() {
    for (const client of this.clients) {
      assert.deepEqual(client.uncaught.map((e) => e.data), [], `${client.user}'s page threw`);
    }
    assert.deepEqual(this.backend.foreign, [], 'somebody else than 127.0.0.1 was asked for');
  }

  async timeline() {
    const emulator = await this.#emulator?.catch(() => undefined);
    return render(this.clients, emulator);
  }

  async end() {
    await Promise.allSettled(this.#pages.map((page) => page.close()));
    await Promise.allSettled(this.#cables.map((cable) => cable.close()));
    const emulator = await this.#emulator?.catch(() => undefined);
    if (emulator !== this.#shared) await emulator?.stop();
  }
}
