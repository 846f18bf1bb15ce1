// Every page in every state: accessible, without horizontal scrolling, in light and dark, at every
// width. Screenshots go to target/test/screens.

import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { alive, launch, open, signIn } from "./browser.mjs";
import { deploy, makeKey, setUp } from "./deployment.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
const SCREENS = join(import.meta.dirname, "../../target/test/screens");
const PICTURE = join(import.meta.dirname, "dashboard.png");
const KEYS = "/settings/developer/api-keys";
const WIDTHS = [320, 768, 1280];
const SCHEMES = ["light", "dark"];

let browser, fresh, deployment, session, key, restricted;

before(async () => {
  mkdirSync(SCREENS, { recursive: true });
  browser = await launch();
  fresh = await deploy();
  deployment = await deploy();
  session = await setUp(deployment);
  await makeKey(deployment, session, { name: "Reporting", environment: "test", scopes: ["analytics:read"] });
  const scopes = ["contacts:read", "contacts:write", "conversations:read", "messages:read", "messages:send"];
  key = await makeKey(deployment, session, { name: "CRM sync", scopes, expires_at: "2030-01-31T23:59:59Z" });
  restricted = await makeKey(deployment, session, {
    name: "Till 7",
    integration: "Shopify",
    restrictions: { allow: ["203.0.113.0/24", "2001:db8::/32"], deny: ["203.0.113.9"], channels: ["ch_1"] },
    rate_limit: { limit: 10, window_seconds: 60 },
    quota: { limit: 500, period: "day" },
    metadata: { team: "ops" },
  });
  await makeKey(deployment, session, { name: "W".repeat(100), description: "d".repeat(500) });
});
after(async () => {
  await browser?.close();
  await fresh?.stop();
  await deployment?.stop();
});

/** The page states that need a session. */
const inside = {
  overview: (page) => page.goto(`${deployment.console}/`),
  settings: (page) => page.goto(`${deployment.console}/settings`),
  keys: (page) => page.goto(deployment.console + KEYS),
  "keys-none-found": (page) => page.goto(`${deployment.console}${KEYS}?q=nothing-like-it`),
  "keys-switched": async (page) => {
    await page.goto(deployment.console + KEYS);
    await page.getByRole("button", { name: /activate Reporting/i }).click();
    await page.getByRole("button", { name: "Undo" }).waitFor();
  },
  "key-new": (page) => page.goto(`${deployment.console}${KEYS}/new`),
  "key-new-date": async (page) => {
    await page.goto(`${deployment.console}${KEYS}/new`);
    await page.getByRole("radio", { name: /^Custom date/ }).check();
    await page.getByLabel("Works through").waitFor();
  },
  "key-new-faults": async (page) => {
    await page.goto(`${deployment.console}${KEYS}/new`);
    await alive(page);
    await page.getByRole("button", { name: "Create API Key" }).click();
    await page.getByRole("alert").waitFor();
  },
  "key-made": async (page) => {
    await page.goto(`${deployment.console}${KEYS}/new`);
    await alive(page);
    await page.getByLabel("API Key Name").fill("Picture");
    await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
    await page.getByRole("button", { name: "Create API Key" }).click();
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("200 OK").waitFor();
  },
  "key-edit": (page) => page.goto(`${deployment.console}${KEYS}/${key.id}`),
  "key-restricted": (page) => page.goto(`${deployment.console}${KEYS}/${restricted.id}`),
  "key-rotate": (page) => page.goto(`${deployment.console}${KEYS}/${key.id}/rotate`),
  "key-conflict": async (page) => {
    await page.goto(`${deployment.console}${KEYS}/${restricted.id}`);
    await alive(page);
    // Simulates a form that was loaded before another admin renamed the key.
    await page.locator("input[name=base_name]").evaluate((input) => (input.value = "Before"));
    await page.getByLabel("API Key Name").fill("Till 8");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("Choose what to keep").waitFor();
  },
  "key-deleted": async (page) => {
    const gone = await makeKey(deployment, session, { name: "Gone" });
    await page.goto(`${deployment.console}${KEYS}/${gone.id}/delete`);
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Undo" }).waitFor();
    await page.goto(`${deployment.console}${KEYS}/${gone.id}`);
    await page.getByRole("button", { name: "Restore" }).waitFor();
  },
  "key-delete": (page) => page.goto(`${deployment.console}${KEYS}/${key.id}/delete`),
  "key-delete-dialog": async (page) => {
    await page.goto(`${deployment.console}${KEYS}/${key.id}`);
    await alive(page);
    await page.getByRole("link", { name: "Delete" }).click();
    await page.getByRole("dialog").waitFor();
  },
  "session-ended": async (page) => {
    await page.goto(`${deployment.console}${KEYS}/new`);
    await alive(page);
    // Submits a form whose session has ended. The cookies come back for the next state.
    const cookies = await page.context().cookies();
    await page.context().clearCookies();
    await page.evaluate(() => document.querySelector("form.form").submit());
    await page.getByRole("heading", { name: "Sign in to continue" }).waitFor();
    await page.context().addCookies(cookies);
  },
  "not-found": (page) => page.goto(`${deployment.console}/nothing/here`),
  "key-not-found": (page) => page.goto(`${deployment.console}${KEYS}/0123456789abcdef`),
};

const outside = {
  "set-up": (page) => page.goto(fresh.setup_url),
  "set-up-faults": async (page) => {
    await page.goto(fresh.setup_url);
    await page.getByRole("button", { name: "Create workspace" }).click();
    await page.getByRole("alert").waitFor();
  },
  "set-up-refused": (page) => page.goto(`${fresh.console}/setup?token=wrong`),
  "set-up-done": (page) => page.goto(`${deployment.console}/setup?token=wrong`),
  "sign-in": (page) => page.goto(`${deployment.console}/sign-in`),
  "sign-in-refused": async (page) => {
    await page.goto(`${deployment.console}/sign-in`);
    await page.getByLabel("Email").fill("not an address");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
  },
  docs: (page) => page.goto(`${deployment.console}/docs`),
  "docs-errors": (page) => page.goto(`${deployment.console}/docs/errors`),
  "docs-scopes": (page) => page.goto(`${deployment.console}/docs/scopes`),
};

describe("every page is sound", { concurrency: 2 }, () => {
  for (const [states, isInside] of [
    [inside, true],
    [outside, false],
  ]) {
    for (const [name, show] of Object.entries(states)) {
      test(`the page ${name}`, async () => {
        const visit = await open(browser);
        if (isInside) await signIn(visit.context, deployment, session);
        await show(visit.page);
        await alive(visit.page);
        const faults = [];
        for (const colorScheme of SCHEMES) {
          await visit.page.emulateMedia({ colorScheme });
          for (const width of WIDTHS) {
            await visit.page.setViewportSize({ width, height: 900 });
            for (const fault of await look(visit.page)) faults.push(`${colorScheme}, ${width} px: ${fault}`);
            await visit.page.screenshot({ path: join(SCREENS, `${name}-${colorScheme}-${width}.png`), fullPage: true });
          }
        }
        await visit.close();
        assert.deepEqual(faults, []);
      });
    }
  }
});

test("a workspace without keys teaches the first one", async () => {
  const empty = await deploy();
  try {
    const visit = await open(browser);
    await signIn(visit.context, empty, await setUp(empty));
    await visit.page.goto(empty.console + KEYS);
    await alive(visit.page);
    assert.deepEqual(await look(visit.page), []);
    await visit.page.getByRole("link", { name: "Create your first key" }).click();
    await visit.page.getByRole("heading", { name: "Create API Key" }).waitFor();
    await visit.close();
  } finally {
    await empty.stop();
  }
});

test("the dashboard has its picture taken", async () => {
  const acme = await deploy();
  try {
    const owner = await setUp(acme);
    const keys = [
      { name: "Newsletter", scopes: ["contacts:read", "campaigns:write", "campaigns:send"] },
      { name: "Reporting", environment: "test", scopes: ["analytics:read", "reports:export"] },
      { name: "CRM sync", scopes: ["contacts:read", "contacts:write", "conversations:read", "messages:read"] },
      { name: "Web shop", scopes: ["contacts:read", "messages:send"], expires_at: "2030-01-31T23:59:59Z" },
    ];
    for (const one of keys) await makeKey(acme, owner, one);
    const visit = await open(browser, { viewport: { width: 1280, height: 640 } });
    await signIn(visit.context, acme, owner);
    await visit.page.goto(acme.console + KEYS);
    await alive(visit.page);
    await visit.page.getByRole("button", { name: "Deactivate Reporting" }).click();
    await visit.page.getByText("Inactive", { exact: true }).last().waitFor();
    await visit.page.goto(acme.console + KEYS);
    await alive(visit.page);
    await visit.page.screenshot({ path: join(SCREENS, "dashboard.png") });
    // The README shows this screenshot. Delete the file to take a new one.
    if (!existsSync(PICTURE)) copyFileSync(join(SCREENS, "dashboard.png"), PICTURE);
    await visit.close();
  } finally {
    await acme.stop();
  }
});

/** Returns the accessibility and layout faults of a page in its present state. */
async function look(page) {
  // Waits for transitions to end: until then, colours have less contrast.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished)));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
  if (wide > 0) faults.push(`${wide} px too wide`);
  return faults;
}
