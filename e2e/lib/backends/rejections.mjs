// Promises of a jsdom page that nobody catches are Node's own, and node:test would blame whatever check is running. Here they are handed to
// the page that made them, as a browser does.

const pages = new Map(); // window → what to tell it

let diverted = false;

function divert() {
  if (diverted) return;
  diverted = true;
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason, promise) => {
    for (const [window, tell] of pages) {
      if (promise instanceof window.Promise || reason instanceof window.Object) {
        tell(reason);
        return;
      }
    }
    for (const other of others) other(reason, promise);
  });
}

// watch gives a window's unhandled rejections to `tell`; the function that it returns ends that, a moment after the window is closed.
export function watch(window, tell) {
  divert();
  pages.set(window, tell);
  return () => setTimeout(() => pages.delete(window), 5_000).unref();
}
