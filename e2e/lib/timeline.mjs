// The SDK's events on the left and what the emulator saw and did on the right, in order of time.

const left = 72;
const right = 150;

const fit = (text, width) => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width));

function entryText(entry) {
  const { event, user, session, frame, method, path, status, code, reason, message_id: id, from, to } = entry;
  const who = session ?? user;
  const parts = [who, event, method, path, status, frame, from && `${from} → ${to}`, id, code, reason];
  return parts.filter((part) => part !== undefined && part !== '').join(' ');
}

export function render(clients, emulator) {
  const rows = [
    ...clients.flatMap((client) =>
      client.events.items.map((e) => ({ at: e.at, sdk: `${client.user}: ${e.name} ${e.data === null ? '' : JSON.stringify(e.data)}` })),
    ),
    ...(emulator?.journal.items ?? []).map((e) => ({ at: e.at, emulator: entryText(e) })),
  ].sort((a, b) => a.at - b.at);
  if (!rows.length) return 'Nothing happened.';
  const start = rows[0].at;
  const lines = rows.map(({ at, sdk = '', emulator: seen = '' }) => {
    const time = `${((at - start) / 1000).toFixed(3).padStart(8)}`;
    return `${time} │ ${fit(sdk, left)} │ ${fit(seen, right)}`.trimEnd();
  });
  const head = `${' '.repeat(6)}s │ ${fit('what the SDK reported', left)} │ what the emulator saw (← in, → out)`;
  return [head, ...lines, ...(emulator?.stderr ? ['the emulator on stderr:', emulator.stderr] : [])].join('\n');
}
