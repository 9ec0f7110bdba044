// A TCP connection that can be pulled out: it forwards to a port of 127.0.0.1 until it is cut.

import net from 'node:net';

export class Cable {
  #server;
  #sockets = new Set();
  #whole = true;

  static async to(port) {
    const cable = new Cable();
    cable.#server = net.createServer((near) => cable.#join(near, port));
    await new Promise((resolve) => cable.#server.listen(0, '127.0.0.1', resolve));
    return cable;
  }

  #join(near, port) {
    near.on('error', () => {}); // a cut is no news
    if (!this.#whole) {
      near.resetAndDestroy();
      return;
    }
    const far = net.connect({ host: '127.0.0.1', port });
    far.on('error', () => {});
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#sockets.add(one);
      one.pipe(other);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }

  get port() {
    return this.#server.address().port;
  }

  // cut resets what is connected; until mend nobody gets through.
  cut() {
    this.#whole = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#whole = true;
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
