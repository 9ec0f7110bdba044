// A log is a growing list that can be waited on. The SDK's events and the emulator's journal are both kept in one.

export class Log {
  #items = [];
  #waiters = new Set();

  add(item) {
    item.index = this.#items.push(item) - 1;
    for (const look of this.#waiters) look();
  }

  get items() {
    return this.#items;
  }

  // wait resolves with the first item, later than the item `after`, that `where` accepts; it rejects after `within` ms.
  wait(where, { after, within = 10_000, what = 'an item' } = {}) {
    const first = after ? after.index + 1 : 0;
    const find = () => this.#items.slice(first).find(where);
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiters.delete(look);
      };
      const look = () => {
        const found = find();
        if (!found) return;
        finish();
        resolve(found);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`waited ${within} ms for ${what}, which did not come`));
      }, within);
      this.#waiters.add(look);
      look();
    });
  }
}
