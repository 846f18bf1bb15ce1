// Chromium, and what every test asks of a page.

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

/** Starts the browser that `CHROMIUM` names, or Debian's. */
export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/**
 * A new page in a profile of its own. It fails the test, when it is closed, if the page complained of what
 * the test did not expect: an error in a script, a refusal by the content security policy, a missing file.
 */
export async function open(browser, { expected = /^$/, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    // A refused form is shown in the page; the browser notes its status as an error as well.
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

/** Waits until the page has come to life. */
export const alive = (page) => page.waitForSelector("html[data-ready]");

/** Signs in by the cookie of a session. */
export function signIn(context, deployment, session) {
  // Set as if it came over TLS, which the cookie's prefix asks for; the browser sends it to loopback anyway.
  const url = deployment.console.replace("http:", "https:");
  return context.addCookies([{ name: "__Host-ownchat-session", value: session, url, secure: true, httpOnly: true }]);
}
