// `cargo xtask dev --watch` builds a changed source, and the browser shows it after a reload.

import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open } from "./browser.mjs";
import { deploy } from "./deployment.mjs";

const SOURCE = join(import.meta.dirname, "../../style/base.css");
const original = readFileSync(SOURCE);
let browser, deployment;

before(async () => {
  browser = await launch();
  deployment = await deploy(["--watch"]);
});
const restore = () => writeFileSync(SOURCE, original);
process.on("SIGTERM", () => {
  restore();
  process.exit(1);
});
after(async () => {
  restore();
  await browser?.close();
  await deployment?.stop();
});

test("a change of the style is shown after a reload", async () => {
  const visit = await open(browser, { expected: /ERR_CONNECTION|Failed to load/ });
  const { page } = visit;
  const address = `${deployment.console}/sign-in`;
  const margin = () => page.evaluate(() => getComputedStyle(document.body).scrollMarginTop);
  await page.goto(address);
  assert.equal(await margin(), "0px");
  appendFileSync(SOURCE, "\nbody { scroll-margin-top: 7px; }\n");
  const becomes = async (expected) => {
    const end = Date.now() + 120_000;
    for (;;) {
      // During the restart, requests fail.
      const shown = await page
        .goto(address)
        .then(margin)
        .catch(() => "nobody answers");
      if (shown === expected) return;
      assert.ok(Date.now() < end, `still ${shown}`);
      await page.waitForTimeout(250);
    }
  };
  await becomes("7px");
  // Waits for the build of the restored source, so that the test leaves no changed build behind.
  restore();
  await becomes("0px");
  await visit.close();
});
