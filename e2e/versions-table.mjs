// Writes docs/sdk-versions.md from the results of the last full run in both backends: node versions-table.mjs. With --check it only says
// whether the file is what it would write.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { versions } from './versions.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const backends = ['jsdom', 'chromium'];
const target = here('../docs/sdk-versions.md');

// results reads, for one backend, version → check → outcome.
function results(backend) {
  const path = here(`test-results/${backend}.jsonl`);
  if (!existsSync(path)) throw new Error(`there is no ${path}: run \`node run.mjs\` first`);
  const outcomes = {};
  for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
    const { group, name, outcome, reason } = JSON.parse(line);
    if (versions[group]) (outcomes[group] ??= new Map()).set(name, { outcome, reason });
  }
  for (const sdk of Object.keys(versions)) {
    if (!outcomes[sdk]) throw new Error(`${path} holds nothing of ${sdk}: run \`node run.mjs\` without a filter`);
  }
  return outcomes;
}

const percent = (part) => `${Math.round(part * 100)} %`;
const code = ([where, type]) => `${where} ${type}`;
const yes = (value) => (value ? 'yes' : 'no');

const facts = {
  'family': (v) => v.family,
  'connects with': (v) => (v.sockjs ? 'SockJS, `url: "http://HOST:PORT/ws"`' : 'WebSocket, `url: "ws://HOST:PORT/websocket"`'),
  'trades `agoraToken` for a Chat token': (v) => yes(v.exchanges),
  'onTokenWillExpire at': (v) => percent(v.warnsAt),
  'an expired token at login': (v) => `onError ${v.refused.expired}`,
  'a forged token at login': (v) => `onError ${v.refused.forged}`,
  'an expired `accessToken` at login': (v) => (v.refusedProvision ? code(v.refusedProvision) : 'onDisconnected only'),
  'renewToken takes another user\'s token': (v) => yes(v.renewsForOthers),
  'open() resolves': (v) => (v.opensEarly ? 'before it is connected' : 'when it is connected'),
  'onDisconnected says why': (v) => yes(v.disconnectReason),
};

function cell(all, sdk, check) {
  return all
    .map((outcomes, i) => {
      const { outcome } = outcomes[sdk].get(check) ?? { outcome: 'not run' };
      return outcome === 'passed' ? undefined : `${backends[i]}: ${outcome}`;
    })
    .filter(Boolean)
    .join(', ') || 'passes';
}

function table(rows) {
  const [head, ...body] = rows;
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function render() {
  const all = backends.map(results);
  const names = Object.keys(versions);
  const checks = [...all[0][names[0]].keys()];
  const rows = checks.map((check) => [check, ...names.map((sdk) => cell(all, sdk, check))]);
  const passed = names.map((sdk) => checks.filter((check) => cell(all, sdk, check) === 'passes').length);
  const reasons = new Set(names.flatMap((sdk) => [...all[0][sdk].values()].map((r) => r.reason).filter(Boolean)));
  return `# SDK versions

Which versions of the official Web SDK work with the emulator, and what each of them does around a token. This page is written by
\`node e2e/versions-table.mjs\` from a run of the real SDK in jsdom and in Chromium; do not edit it.

## What differs

${table([['', ...names], ...Object.entries(facts).map(([name, fact]) => [name, ...names.map((sdk) => fact(versions[sdk]))])])}

## What was checked

"passes" means in both jsdom and Chromium, by the version's own expectations above.

${table([['check', ...names], ...rows, ['**passed**', ...passed.map((n) => `**${n} of ${checks.length}**`)]])}
${reasons.size ? `\nWhat is skipped ${[...reasons].sort().join('; ')}.\n` : ''}`;
}

const page = render();
if (process.argv.includes('--check')) {
  if (!existsSync(target) || readFileSync(target, 'utf8') !== page) {
    console.error('docs/sdk-versions.md is not what this run gives; write it anew with `node e2e/versions-table.mjs`');
    process.exitCode = 1;
  }
} else {
  mkdirSync(here('../docs'), { recursive: true });
  writeFileSync(target, page);
}
