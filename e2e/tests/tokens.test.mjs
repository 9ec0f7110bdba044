// Our tokens against those of Agora's own packages, both ways, with random inputs. No page is needed, so one backend is enough.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { group } from '../lib/check.mjs';
import { build } from '../lib/emulator.mjs';
import { userToken } from '../lib/tokens.mjs';
import { make006, make007, read006, read007 } from '../lib/tokens-official.mjs';
import * as random from '../lib/tokens-random.mjs';

const run = promisify(execFile);
const repeat = `E2E_SEED=${random.seed} repeats this`;
const environment = ({ appId, certificate }) => ({ ...process.env, AGORA_APP_ID: appId, AGORA_APP_CERTIFICATE: certificate });

// inspect reads tokens, one a line, with the project's certificate. Old ones do not work any more, which makes its exit code 1.
async function inspect(project, texts, ...flags) {
  const child = spawn(build(), ['token', 'inspect', '--json', ...flags], { env: environment(project), stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.end(`${texts.join('\n')}\n`);
  const lines = (await child.stdout.setEncoding('utf8').toArray()).join('').trimEnd().split('\n');
  assert.equal(lines.length, texts.length, repeat);
  return lines.map((line) => JSON.parse(line));
}

// make builds a token with the command line, in the given project or the demo one.
async function make(project, ...flags) {
  const { stdout } = await run(build(), ['token', ...flags], { env: project ? environment(project) : process.env });
  return stdout.trim();
}

// inTurn does something for each item, four at a time.
async function inTurn(items, work) {
  const left = [...items];
  await Promise.all(Array.from({ length: 4 }, async () => {
    while (left.length) await work(left.pop());
  }));
}

const seconds = (date) => Date.parse(date) / 1000;
const times = (n, make) => Array.from({ length: n }, make);

group('tokens of the official packages', { backends: ['jsdom'] }, (check) => {
  check('we read and verify a thousand tokens of agora-token', async () => {
    random.begin('theirs, 007');
    const batches = times(10, random.project).map((project) => ({ project, made: times(100, () => make007(project)) }));
    for (const { project, made } of batches) {
      const verdicts = await inspect(project, made.map((m) => m.text));
      verdicts.forEach(({ token: t }, i) => {
        const services = t.services.map((s) => ({ ...s, privileges: s.privileges.map(({ id, life_s }) => ({ id, life_s })) }));
        const { version, app_id, life_s, salt, signature } = t;
        assert.deepEqual({ version, app_id, issued_at: seconds(t.issued_at), life_s, salt, services, signature }, made[i].says, `${made[i].text} ${repeat}`);
      });
    }
  });

  check('we read three hundred tokens of agora-access-token, and verify them where the names are known', async () => {
    random.begin('theirs, 006');
    const batches = times(3, random.project).map((project) => ({ project, made: times(100, () => make006(project)) }));
    for (const { project, made } of batches) {
      const verdicts = await inspect(project, made.map((m) => m.text));
      verdicts.forEach(({ token: t }, i) => {
        const { version, app_id, salt, signature } = t;
        const privileges = t.services[0].privileges.map((p) => ({ id: p.id, date: seconds(p.expires_at) }));
        assert.deepEqual({ version, app_id, salt, privileges }, made[i].says, `${made[i].text} ${repeat}`);
        assert.equal(signature, 'unchecked');
      });
    }
    await inTurn(batches.flatMap(({ project, made }) => made.map((m) => ({ project, ...m }))), async ({ project, text, names }) => {
      const flags = Object.entries(names).map(([name, value]) => `--${name}=${value}`);
      const [{ token }] = await inspect(project, [text], ...flags);
      assert.equal(token.signature, 'genuine', `${text} ${JSON.stringify(names)} ${repeat}`);
    });
  });

  check('another certificate is found out', async () => {
    random.begin('other certificate');
    const [project, other] = times(2, random.project);
    const made = times(50, () => make007(project));
    const verdicts = await inspect({ ...project, certificate: other.certificate }, made.map((m) => m.text));
    for (const v of verdicts) assert.equal(v.token.signature, 'wrong', repeat);
  });

  check('agora-token reads and verifies eight hundred of ours', async () => {
    random.begin('ours, 007');
    await inTurn(times(800, draw007), async ({ project, life, issued, flags, service }) => {
      const text = await make(project, ...flags, `--expire=${life}`, `--issued-at=${issued}`);
      assert.deepEqual(read007(text, project.certificate), { genuine: true, appId: project.appId, issued, life, services: [service] }, `${text} ${repeat}`);
    });
  });

  check('agora-access-token reads two hundred of ours, and would make the same', async () => {
    random.begin('ours, 006');
    await inTurn(times(200, draw006), async ({ project, channel, user, flags, reads }) => {
      const text = await make(project, 'rtc', '--version=006', ...flags);
      assert.deepEqual(read006(text, project, channel, user), { genuine: true, ...reads }, `${text} ${repeat}`);
    });
  });

  check('the emulator takes both for a login, and neither for somebody else', async (w) => {
    random.begin('login');
    const lives = times(10, () => 60 + random.below(86340));
    const { ready } = await w.emulator();
    const judged = (token, user) => inspect({ appId: ready.app_id, certificate: '' }, [token], `--user=${user}`, '--service=chat');
    for (const [i, life] of lives.entries()) {
      const user = `user-${i}`;
      for (const token of [userToken(user, life), await make(undefined, 'user', `--user=${user}`, `--expire=${life}`)]) {
        const [verdict] = await judged(token, user);
        assert.equal(verdict.would_work, true, JSON.stringify(verdict));
        const { status, body } = await w.rest('POST', 'token', { grant_type: 'agora' }, { token });
        assert.equal(status, 200, repeat);
        assert(Math.abs(body.expire_timestamp / 1000 - seconds(verdict.token.expires_at)) < 1, repeat);
      }
    }
    const ours = await make(undefined, 'user', '--user=alice', '--expire=600');
    await w.login('alice', { open: () => ({ accessToken: ours }) });
    const bob = await w.client('bob');
    await assert.rejects(bob.call('open', { user: 'bob', accessToken: ours }));
    const [refused] = await judged(ours, 'bob');
    assert.deepEqual(refused.findings.filter((f) => f.severity === 'fatal').map((f) => f.code), ['wrong-user']);
  });
});

// draw007 draws the flags of one of our tokens, and the service that agora-token has to find in it.
function draw007() {
  const [project, life, issued, user, channel, uid] = [random.project(), random.life(), random.issued(), random.user(), random.channel(), random.uid()];
  const publish = random.below(2) === 0;
  const all = (ids) => Object.fromEntries(ids.map((id) => [id, life]));
  const [flags, service] = random.pick([
    [['user', `--user=${user}`], { type: 5, privileges: all([1]), user }],
    [['app'], { type: 5, privileges: all([2]), user: '' }],
    [['rtm', `--user=${user}`], { type: 2, privileges: all([1]), user }],
    [['rtc', `--channel=${channel}`, `--uid=${uid}`, `--role=${publish ? 'publisher' : 'subscriber'}`],
      { type: 1, privileges: all(publish ? [1, 2, 3, 4] : [1]), user: uid === 0 ? '' : String(uid), channel }],
    [['rtc', `--channel=${channel}`, `--account=${user}`], { type: 1, privileges: all([1, 2, 3, 4]), user, channel }],
  ]);
  return { project, life, issued, flags, service };
}

// draw006 draws the flags of one of our tokens of the old kind, and what agora-access-token has to read in it.
function draw006() {
  const [project, issued, channel, life] = [random.project(), random.issued(), random.channel(), random.below(200000)];
  const [name, user] = random.pick([['uid', random.uid()], ['account', random.user()]]);
  const publish = random.below(2) === 0;
  const until = life === 0 ? 0 : issued + life;
  return {
    project, channel, user,
    flags: [`--channel=${channel}`, `--${name}=${user}`, `--expire=${life}`, `--issued-at=${issued}`, `--role=${publish ? 'publisher' : 'subscriber'}`],
    reads: { ends: issued + 86400, privileges: Object.fromEntries((publish ? [1, 2, 3, 4] : [1]).map((id) => [id, until])) },
  };
}
