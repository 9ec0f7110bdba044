// Lets this process connect to 127.0.0.1 only, and remembers who else was asked for.

import net from 'node:net';

export const foreign = [];

const standIns = new Map();

let forbidden = false;

// forbidTheOutside takes pairs of a host name and the port of 127.0.0.1 that stands in for it.
export function forbidTheOutside(pretended) {
  for (const [name, port] of pretended) standIns.set(name, port);
  if (forbidden) return;
  forbidden = true;
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const options = Array.isArray(args[0]) ? args[0][0] : args[0]; // net.connect hands over its arguments normalized
    const host = typeof options === 'object' ? options.host : undefined;
    if (host === '127.0.0.1' || options?.path) return connect.apply(this, args);
    if (standIns.has(host)) {
      Object.assign(options, { host: '127.0.0.1', port: standIns.get(host) });
      return connect.apply(this, args);
    }
    foreign.push(String(host));
    process.nextTick(() => this.destroy(new Error(`${host} was asked for, which is not 127.0.0.1`)));
    return this;
  };
}
