// Random inputs for token builders. E2E_SEED repeats a run.

export const seed = Number(process.env.E2E_SEED) || Math.floor(Math.random() * 2 ** 32);
let state;

// begin starts the sequence of one check. Whatever the check draws, it must draw before it waits for anything, since checks run side by side.
export function begin(check) {
  state = [...check].reduce((sum, letter) => Math.imul(sum, 31) + letter.codePointAt(0), seed) >>> 0;
}

// below returns a whole number from 0 up to, without, the limit.
export function below(limit) {
  state = (state + 0x9e3779b9) >>> 0; // a Weyl sequence, scrambled
  let z = state;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return Math.floor((((z ^ (z >>> 16)) >>> 0) / 2 ** 32) * limit);
}

export const pick = (list) => list[below(list.length)];

const text = (letters, most, least = 1) =>
  Array.from({ length: least + below(most - least + 1) }, () => pick(letters)).join('');

const ascii = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];
const marks = [...' !#$%&()+-:;<=.>?@[]^_{}|~,'];

// project is an App ID and an App Certificate.
export const project = () => ({ appId: text([...'0123456789abcdef'], 32, 32), certificate: text([...'0123456789abcdefABCDEF'], 32, 32) });

// user is a name of any kind; no builder restricts it.
export const user = () => text([...ascii, ...marks, 'ż', '李', '😀', '"', '\\', "'"], 40);

// channel is what the documents allow.
export const channel = () => text([...ascii, ...marks], 63).replace(/^-/, '_');

// life is a number of seconds, often one at an edge.
export const life = () => pick([0, 1, 59, 600, 3600, 86400, 86401, 2 ** 31, 2 ** 32 - 1, below(200000), below(200000)]);

// issued is a time within two years around now.
export const issued = () => Math.floor(Date.now() / 1000) - 31536000 + below(2 * 31536000);

export const uid = () => pick([0, 1, 2 ** 32 - 1, below(2 ** 32)]);
