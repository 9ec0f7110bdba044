// Runs in the page, after the SDK bundle: makes connections, calls their methods and reports their events. What crosses between the page
// and Node is JSON in both backends, through `driver` on the way in and the function `report`, which the backend puts here, on the way out.

globalThis.driver = (() => {
  const sdk = globalThis.websdk.connection ? globalThis.websdk : globalThis.websdk.default;
  const connections = new Map();

  const eventNames = [
    'onOpened', 'onClosed', 'onConnected', 'onDisconnected', 'onReconnecting', 'onOnline', 'onOffline', 'onError', 'onTokenWillExpire',
    'onTokenExpired', 'onOfflineMessageSyncStart', 'onOfflineMessageSyncFinish', 'onTextMessage', 'onImageMessage', 'onPictureMessage',
    'onAudioMessage', 'onVideoMessage', 'onFileMessage', 'onLocationMessage', 'onCmdMessage', 'onCustomMessage', 'onReceivedMessage',
    'onDeliveredMessage', 'onReadMessage', 'onRecallMessage', 'onModifiedMessage', 'onChannelMessage', 'onMultiDeviceEvent',
    'onContactInvited', 'onContactAdded', 'onContactAgreed', 'onContactDeleted', 'onContactRefuse', 'onPresenceStatusChange',
    'onStatisticMessage', 'onMessage',
  ];

  // plain is a copy that JSON can carry; what it cannot carry is named in its place.
  function plain(value, depth = 0) {
    if (value === undefined) return null;
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
    if (typeof value !== 'object') return `(${typeof value})`;
    if (depth > 8) return '(deeper)';
    if (value instanceof Blob) return { blob: value.name ?? '', size: value.size, type: value.type };
    if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
    const copy = {};
    if (value instanceof Error) copy.message = value.message;
    for (const key of Object.keys(value)) copy[key] = plain(value[key], depth + 1);
    return copy;
  }

  function tell(name, data) {
    globalThis.report(JSON.stringify({ at: realNow(), name, data: plain(data) }));
  }

  const realNow = Date.now.bind(Date);

  // setClock makes the page's clock wrong by `ms`, as on a badly kept computer.
  function setClock(ms) {
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...args) {
        if (args.length) super(...args);
        else super(Real.now() + ms);
      }
      static now() {
        return Real.now() + ms;
      }
    };
  }

  function connect(id, options, { legacy = false } = {}) {
    sdk.logger.disableAll?.();
    const connection = new sdk.connection(options);
    connections.set(id, connection);
    const handlers = Object.fromEntries(eventNames.map((name) => [name, (data) => tell(name, data)]));
    if (legacy) connection.listen(handlers);
    else connection.addEventHandler('e2e', handlers);
    // Some errors reach only this property, and old versions nothing else (protocol.md c, "Reconnect").
    if (!legacy) connection.onError = (data) => tell('conn.onError', data);
  }

  // renewWhen is what the documents' sample does in its handlers: a renewal from inside an event.
  function renewWhen(id, event, token) {
    const connection = connections.get(id);
    connection.addEventHandler(`renew on ${event}`, {
      [event]: () => {
        connection.renewToken(token).then(
          (answer) => tell('renewed', answer),
          (error) => tell('renewal refused', error),
        );
      },
    });
  }

  // answerWhen is a bot: it sends the message from inside an event, each time.
  function answerWhen(id, event, message) {
    const connection = connections.get(id);
    connection.addEventHandler(`answer on ${event}`, { [event]: () => connection.send(sdk.message.create(message)) });
  }

  const settled = (promise) =>
    Promise.resolve(promise).then(
      (value) => ({ value: plain(value) }),
      (error) => ({ error: plain(error) ?? {} }),
    );

  function call(id, method, args) {
    try {
      return settled(connections.get(id)[method](...args));
    } catch (error) {
      return { error: plain(error) };
    }
  }

  // send makes a message of the SDK and sends it. A `file` becomes a real File of its base64 `bytes`, or of `size` zeros.
  function send(id, message) {
    const made = { ...message };
    if (message.file) {
      const { bytes, size, name, type } = message.file;
      const content = bytes ? Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)) : new Uint8Array(size);
      made.file = { data: new File([content], name, { type }), filename: name, filetype: type, url: '' };
      made.onFileUploadComplete = (answer) => tell('onFileUploadComplete', answer);
      made.onFileUploadError = (error) => tell('onFileUploadError', error);
    }
    return settled(connections.get(id).send(sdk.message.create(made)));
  }

  function edit(id, messageId, message) {
    return settled(connections.get(id).modifyMessage({ messageId, modifiedMessage: sdk.message.create(message) }));
  }

  function base64(buffer) {
    let text = '';
    for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
    return btoa(text);
  }

  // download fetches what a received message points at and returns it in base64.
  function download(url) {
    return settled(
      new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.open('GET', url);
        request.responseType = 'arraybuffer';
        request.onload = () => resolve({ status: request.status, bytes: base64(request.response) });
        request.onerror = () => reject(new Error('the download failed'));
        request.send();
      }),
    );
  }

  return { setClock, connect, renewWhen, answerWhen, call, send, edit, download };
})();
