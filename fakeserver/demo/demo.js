// The page of the official documents with both ways to handle a token's end: the one that they show, and the one that works.
'use strict';
const $ = (id) => document.getElementById(id);
const sdk = globalThis.websdk && (globalThis.websdk.connection ? globalThis.websdk : globalThis.websdk.default);
const willExpireFraction = 0.8; // agora-chat 1.4.0; the SDK itself does not tell when it will call

let config;
let conn;
let life = null; // {from, to} in ms, by this page's clock
const counts = {};

function log(name, detail = '', tone = '') {
  counts[name] = (counts[name] || 0) + 1;
  const row = document.createElement('li');
  row.className = tone;
  row.dataset.event = name;
  const time = document.createElement('time');
  time.textContent = new Date().toISOString().slice(11, 23);
  const what = document.createElement('b');
  what.textContent = name;
  const text = document.createElement('span');
  text.textContent = detail;
  row.append(time, what, text);
  $('log').prepend(row);
  while ($('log').children.length > 500) $('log').lastChild.remove();
}

function show(state) {
  $('state').textContent = state;
  $('state').dataset.state = state;
  const online = state === 'online' || state === 'will expire';
  $('login').disabled = state !== 'logged out' && state !== 'expired' && state !== 'refused';
  $('logout').disabled = !online;
  $('send').disabled = !online;
}

const handling = () => document.querySelector('input[name=handling]:checked').value;
const reason = (e) => (e && (e.message || (e.data && (e.data.error_description || e.data.message)))) || String(e && e.type !== undefined ? `type ${e.type}` : e);

async function fetchToken() {
  const answer = await fetch(config.token_url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userAccount: $('userID').value, userPassword: $('password').value, expire: Number($('expire').value) }),
  });
  const body = await answer.json();
  if (!answer.ok || !body.accessToken) throw new Error(body.errorInfo || body.error || `HTTP ${answer.status}`);
  log('token received', `${body.accessToken.slice(0, 6)}…${body.accessToken.slice(-4)}`);
  return body;
}

function alive(expires) {
  life = { from: Date.now(), to: expires };
}

async function login() {
  show('logging in');
  try {
    const { accessToken, chatUserName, expireTimestamp } = await fetchToken();
    await conn.open({ user: chatUserName, accessToken });
    alive(expireTimestamp);
    log('open resolved', chatUserName, 'ok');
  } catch (e) {
    log('login failed', reason(e), 'bad');
    show('refused');
  }
}

async function renew() {
  try {
    const { accessToken } = await fetchToken();
    const result = await conn.renewToken(accessToken);
    if (!result || !result.status) throw new Error('renewToken answered status false: the connection is closed');
    alive(result.expire);
    log('renewToken resolved', `expires ${new Date(result.expire).toISOString().slice(11, 19)}`, 'ok');
    show('online');
  } catch (e) {
    log('renewToken failed', reason(e), 'bad');
  }
}

function listen() {
  const answer = { documented: [renew, renew], correct: [renew, login], none: [() => {}, () => {}] };
  conn.addEventHandler('page', {
    onConnected: () => { log('onConnected', '', 'ok'); show('online'); },
    onDisconnected: (e) => {
      log('onDisconnected', e ? `type ${e.type}` : '');
      if ($('state').dataset.state !== 'expired' && $('state').dataset.state !== 'refused') show('logged out');
      if ($('state').dataset.state === 'logged out') life = null;
    },
    onReconnecting: () => { log('onReconnecting'); show('reconnecting'); },
    onTokenWillExpire: () => {
      log('onTokenWillExpire', `the app ${handling() === 'none' ? 'does nothing' : 'renews'}`, 'warn');
      show('will expire');
      answer[handling()][0]();
    },
    onTokenExpired: () => {
      const does = { documented: 'calls renewToken', correct: 'logs in again', none: 'does nothing' }[handling()];
      log('onTokenExpired', `the app ${does}`, 'bad');
      show('expired');
      // The SDK closes the connection once this handler returns, so a new login has to wait for that.
      setTimeout(answer[handling()][1], handling() === 'correct' ? 200 : 0);
    },
    onTextMessage: (m) => log('onTextMessage', `${m.from}: ${m.msg}`),
    onError: (e) => log('onError', `type ${e.type}: ${reason(e)}`, 'bad'),
  });
}

function left(ms) {
  if (ms <= 0) return 'now';
  return ms < 10000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.ceil(ms / 1000)} s`;
}

function draw() {
  const now = Date.now();
  const total = life ? life.to - life.from : 0;
  const part = (to) => (life ? Math.min(1, Math.max(0, (now - life.from) / (to - life.from))) : 0);
  const warn = life ? life.from + total * willExpireFraction : 0;
  $('willExpire').textContent = life ? left(warn - now) : '–';
  $('expires').textContent = life ? left(life.to - now) : '–';
  $('willExpireBar').style.width = `${100 * part(warn)}%`;
  $('expiresBar').style.width = `${100 * (life ? part(life.to) : 0)}%`;
  $('expiresBar').className = !life || now < warn ? '' : now < life.to ? 'warn' : 'bad';
}

async function start() {
  if (!sdk) {
    $('missing').hidden = false;
    return;
  }
  config = await (await fetch('config.json')).json();
  $('app').hidden = false;
  conn = new sdk.connection({ appKey: config.app_key, isHttpDNS: false, url: config.ws_url, apiUrl: config.rest_url });
  listen();
  $('form').addEventListener('submit', (e) => { e.preventDefault(); login(); });
  $('logout').addEventListener('click', () => { conn.close(); life = null; show('logged out'); });
  $('talk').addEventListener('submit', async (e) => {
    e.preventDefault();
    const message = sdk.message.create({ type: 'txt', chatType: 'singleChat', to: $('to').value, msg: $('text').value });
    $('text').value = '';
    try {
      await conn.send(message);
      log('message sent', `to ${message.to}: ${message.msg}`);
    } catch (err) {
      log('message failed', reason(err), 'bad');
    }
  });
  setInterval(draw, 100);
  show('logged out');
  globalThis.demo = { counts }; // for tests
}

start();
