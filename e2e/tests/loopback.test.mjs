// The promise that nobody but 127.0.0.1 is contacted is worth something only if a breach is noticed.

import assert from 'node:assert/strict';
import { group } from '../lib/check.mjs';

// The breach must not be held against other checks, so this one has a backend of its own.
group('loopback only', { serve: [], pretend: () => [] }, (check) => {
  check('a page that asks for another host is caught', async (w) => {
    const page = await w.page('page');
    await assert.rejects(page.download('http://elsewhere.example/'));
    assert.deepEqual(w.backend.foreign.splice(0), ['elsewhere.example']);
  });
});
