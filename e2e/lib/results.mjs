// A reporter for node:test that writes one JSON object a check, for versions-table.mjs.

export default async function* results(source) {
  const groups = []; // the open suites, by nesting
  for await (const { type, data } of source) {
    if (type === 'test:start') groups[data.nesting] = data.name;
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') continue;
    const outcome = data.skip !== undefined ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed';
    yield `${JSON.stringify({ group: groups[data.nesting - 1], name: data.name, outcome, reason: data.skip })}\n`;
  }
}
