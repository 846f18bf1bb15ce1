// Starts Chromium, and fails a test on unexpected errors of a page.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
];

/** Launches the browser at the path `CHROMIUM`, or Debian's. */
export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/**
 * Opens a page in a browser context of its own. `close` fails the test if the page logged an
 * unexpected error. Such errors are script errors, CSP violations and missing files.
 */
export async function open(browser, { expected = /^$/, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    // The page shows a rejected form; the browser also logs its status code as an error.
    const isStatus = /status of (401|403|404|409|422|429)/.test(message.text());
    if (message.type() === "error" && !isStatus && !expected.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return {
    page,
    context,
    async close() {
      await context.close();
      assert.deepEqual(complaints, [], "the page complained");
    },
  };
}

/** Waits until the islands are hydrated. */
export const alive = (page) => page.waitForSelector("html[data-ready]");

/** Signs in with a session cookie. */
export function signIn(context, deployment, session) {
  // Set as over TLS, which the cookie's prefix requires. The browser sends it to loopback anyway.
  const url = deployment.console.replace("http:", "https:");
  return context.addCookies([{ name: "__Host-ownchat-session", value: session, url, secure: true, httpOnly: true }]);
}
