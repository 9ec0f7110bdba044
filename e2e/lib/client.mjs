// One connection object of the SDK in a page, seen from Node.

import { Log } from './log.mjs';

// SDKError is a rejection of the SDK, with its own `type`, `message` and `data`.
export class SDKError extends Error {
  constructor(method, error) {
    super(`${method} rejected: ${JSON.stringify(error)}`);
    this.type = error.type;
    this.text = error.message;
    this.data = error.data;
    this.rejection = error;
  }
}

export class Client {
  events = new Log();
  #forgiven = [];

  // Whoever opens the page puts it into `page`.
  constructor(user) {
    this.user = user;
  }

  // event waits for an event by its name; the options are those of Log.wait, and `where` narrows it by the event's data.
  event(name, { where = () => true, ...options } = {}) {
    return this.events.wait((e) => e.name === name && where(e.data), { what: `${name} of ${this.user}`, ...options });
  }

  // all lists the events of that name so far.
  all(name) {
    return this.events.items.filter((e) => e.name === name);
  }

  #drive(what, args, within) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what} did not settle within ${within} ms`)), within);
    });
    const expression = `driver.${what}(${args.map((a) => JSON.stringify(a) ?? 'undefined').join(', ')})`;
    return Promise.race([this.page.evaluate(expression), late]).finally(() => clearTimeout(timer));
  }

  async #settle(name, what, args, within = 40_000) {
    const { value, error } = await this.#drive(what, args, within);
    if (error) throw new SDKError(name, error);
    return value;
  }

  connect(options, { legacy, clock }) {
    return this.#drive('setClock', [clock ?? 0], 5_000).then(() => this.#drive('connect', [this.user, options, { legacy }], 5_000));
  }

  // call calls a method of the connection and resolves or rejects (SDKError) as it does.
  call(method, ...args) {
    return this.#settle(method, 'call', [this.user, method, args]);
  }

  // send sends a message: { to, type, … } as sdk.message.create takes it.
  send(message) {
    return this.#settle('send', 'send', [this.user, { chatType: 'singleChat', ...message }]);
  }

  say(to, msg, more = {}) {
    return this.send({ type: 'txt', to, msg, ...more });
  }

  // edit replaces the text of a message that was sent before.
  edit(to, messageId, msg) {
    return this.#settle('modifyMessage', 'edit', [this.user, messageId, { type: 'txt', chatType: 'singleChat', to, msg }]);
  }

  download(url) {
    return this.#settle('download', 'download', [url]);
  }

  renew(token) {
    return this.call('renewToken', token);
  }

  // renewWhen calls renewToken inside the handler of an event, as the documents do.
  renewWhen(event, token) {
    return this.#drive('renewWhen', [this.user, event, token], 5_000);
  }

  // answerWhen sends a text inside the handler of an event, each time it comes.
  answerWhen(event, to, msg) {
    return this.#drive('answerWhen', [this.user, event, { type: 'txt', chatType: 'singleChat', to, msg }], 5_000);
  }

  // forgive names uncaught errors that are the SDK's own and no fault of the emulator.
  forgive(pattern) {
    this.#forgiven.push(pattern);
  }

  get uncaught() {
    return this.all('uncaught').filter((e) => !this.#forgiven.some((pattern) => pattern.test(JSON.stringify(e.data))));
  }

  close() {
    return this.call('close');
  }
}
