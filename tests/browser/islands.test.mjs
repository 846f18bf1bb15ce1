// Features that WASM adds to the pages, and guarantees that hold with and without it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { alive, launch, open, signIn } from "./browser.mjs";
import { deploy, makeKey, setUp } from "./deployment.mjs";

const KEYS = "/settings/developer/api-keys";
let browser, deployment, session;

before(async () => {
  browser = await launch();
  deployment = await deploy();
  session = await setUp(deployment);
});
after(async () => {
  await browser?.close();
  await deployment?.stop();
});

/** Opens a page with a session, runs `work` on it, and closes it. */
async function inside(path, work, options) {
  const visit = await open(browser, options);
  await signIn(visit.context, deployment, session);
  await visit.page.goto(deployment.console + path);
  if (options?.javaScriptEnabled !== false) await alive(visit.page);
  await work(visit.page);
  await visit.close();
}

test("a secret made in the browser never leaves it", () =>
  inside(`${KEYS}/new`, async (page) => {
    const sent = [];
    page.on("request", (request) => sent.push(request.url(), request.postData() ?? "", JSON.stringify(request.headers())));
    await page.getByLabel("API Key Name").fill("Zero sight");
    await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
    await page.getByRole("button", { name: "Create API Key" }).click();
    const key = await page.getByLabel("API key", { exact: true }).inputValue();
    assert.equal(await page.evaluate(() => document.activeElement.id), "reveal-title", "focus stays on what is gone");
    const secret = key.split("_")[3].slice(0, 24);
    assert.equal(secret.length, 24);
    assert.ok(sent.some((text) => text.includes("Zero sight")), "nothing was sent at all");
    assert.ok(!sent.some((text) => text.includes(secret)), "the secret was sent");
    const answer = await fetch(`${deployment.edge}/v1/key`, { headers: { Authorization: `Bearer ${key}` } });
    assert.equal(answer.status, 200);
  }));

test("a key made in the browser leads back to where its making began", () => {
  const list = `${KEYS}?q=browser&sort=oldest`;
  return inside(`${KEYS}/new?back=${encodeURIComponent(list)}`, async (page) => {
    await page.getByLabel("API Key Name").fill("Made in the browser");
    await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
    await page.getByRole("button", { name: "Create API Key" }).click();
    const key = await page.getByLabel("API key", { exact: true }).inputValue();
    const row = `key-${key.split("_")[2]}`;
    await page.getByRole("link", { name: "Done, I stored it" }).click();
    await page.locator(`tr#${row}`).waitFor();
    assert.equal(page.url(), `${deployment.console}${list}#${row}`);
  });
});

test("leaving before the key is kept asks, and not after", () =>
  inside(
    `${KEYS}/new`,
    async (page) => {
      const questions = [];
      page.on("dialog", (dialog) => {
        questions.push(dialog.type());
        dialog.dismiss();
      });
      await page.getByLabel("API Key Name").fill("Not kept yet");
      await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
      await page.getByRole("button", { name: "Create API Key" }).click();
      const shown = page.getByLabel("API key", { exact: true });
      const key = await shown.inputValue();
      await page.getByRole("link", { name: "Settings" }).first().click();
      assert.equal(await shown.inputValue(), key, "the key is gone");
      assert.deepEqual(questions, ["beforeunload"]);
      const line = page.locator(".copy-line").filter({ has: shown });
      await line.getByRole("button", { name: "Copy" }).click();
      await line.getByRole("button", { name: "Copied" }).waitFor();
      await page.getByRole("link", { name: "Settings" }).first().click();
      await page.getByRole("heading", { name: "Settings" }).waitFor();
      assert.deepEqual(questions, ["beforeunload"]);
    },
    { permissions: ["clipboard-read", "clipboard-write"] },
  ));

test("faults stand at their fields and nothing that was typed is lost", () =>
  inside(`${KEYS}/new`, async (page) => {
    await page.getByLabel("API Key Name").fill("</textarea><script>alert(1)</script>".padEnd(10_000, "x"));
    await page.getByLabel("Description").fill("</textarea><script>alert(2)</script>");
    await page.getByRole("radio", { name: /^Custom date/ }).check();
    await page.getByRole("button", { name: "Create API Key" }).click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.equal(await alert.getByRole("listitem").count(), 3);
    await page.locator("#faults:focus").waitFor();
    await page.getByLabel("Works through").fill("2020-01-01");
    await page.getByRole("button", { name: "Create API Key" }).click();
    await page.getByText("This is in the past").first().waitFor();
    assert.equal(await alert.getByRole("listitem").count(), 3);
    for (const id of ["name-error", "scopes-error", "expires_at-error"]) {
      assert.notEqual((await page.locator(`#${id}`).textContent()).trim(), "", id);
    }
    assert.equal(await page.getByLabel("API Key Name").getAttribute("aria-invalid"), "true");
    assert.equal((await page.getByLabel("API Key Name").inputValue()).length, 10_000);
    assert.equal(await page.getByLabel("Description").inputValue(), "</textarea><script>alert(2)</script>");
    for (const [field, id] of [["Name", "name"], ["Access permissions", "scopes"], ["Expiry", "expiry"]]) {
      await alert.getByRole("link", { name: field }).click();
      assert.equal(await page.evaluate(() => document.activeElement.id), id);
    }
    // A corrected field is no longer marked invalid.
    await page.getByLabel("API Key Name").fill("Mended");
    await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
    assert.equal(await alert.getByRole("listitem").count(), 1);
    assert.equal(await page.getByLabel("API Key Name").getAttribute("aria-invalid"), null);
  }));

test("a refused copy is told, and the text is selected", () =>
  inside(`${KEYS}/new`, async (page) => {
    await page.getByLabel("API Key Name").fill("Copied by hand");
    await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
    await page.getByRole("button", { name: "Create API Key" }).click();
    const shown = page.getByLabel("API key", { exact: true });
    const key = await shown.inputValue();
    const field = page.locator(".field").filter({ has: shown });
    for (const refuse of [() => Promise.reject(new DOMException("", "NotAllowedError")), undefined]) {
      const text = refuse?.toString();
      await page.evaluate((text) => {
        const clipboard = text && { writeText: new Function(`return (${text})()`) };
        Object.defineProperty(navigator, "clipboard", { value: clipboard, configurable: true });
        getSelection().removeAllRanges();
      }, text);
      await field.getByRole("button", { name: "Copy" }).click();
      await field.getByRole("status").getByText("Press Ctrl+C").waitFor();
      const selected = await shown.evaluate((input) => input.value.slice(input.selectionStart, input.selectionEnd));
      assert.equal(selected, key);
    }
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: { writeText: async () => {} } }));
    await field.getByRole("button", { name: "Copy" }).click();
    await field.getByRole("status").getByText("Copied").waitFor();
    await field.getByRole("button", { name: "Copied" }).waitFor();
    await field.getByRole("button", { name: "Copy", exact: true }).waitFor();
    await page.getByRole("link", { name: "Done, I stored it" }).click();
    await page.getByRole("heading", { name: "API Keys" }).waitFor();
  }));

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with WASM" : "without JavaScript";
  test(`a preset chooses its scopes and keeps the rest, ${how}`, () =>
    inside(
      `${KEYS}/new`,
      async (page) => {
        await page.getByLabel("API Key Name").fill("Preset");
        await page.getByRole("checkbox", { name: "Manage keys keys:write" }).check();
        await page.getByRole("button", { name: "Reporting" }).click();
        await page.locator("input[value='analytics:read']:checked").waitFor();
        assert.equal(await page.getByRole("checkbox", { name: "Manage keys keys:write" }).isChecked(), false);
        assert.equal(await page.getByLabel("API Key Name").inputValue(), "Preset");
      },
      { javaScriptEnabled },
    ));
}

test("Enter makes the key and presses no preset", () =>
  inside(`${KEYS}/new`, async (page) => {
    await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
    await page.getByLabel("API Key Name").fill("By Enter");
    await page.getByLabel("API Key Name").press("Enter");
    await page.getByLabel("API key", { exact: true }).waitFor();
  }));

test("the dialog asks before it deletes, and lets go", async () => {
  const { id } = await makeKey(deployment, session, { name: "Doomed" });
  await inside(KEYS, async (page) => {
    const opener = page.getByRole("row", { name: /Doomed/ }).getByRole("link", { name: /^Delete/ });
    const dialog = page.getByRole("dialog");
    await opener.click();
    await dialog.getByText("stop working within 5 seconds").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await opener.evaluate((link) => link === document.activeElement), true, "focus is lost");
    await opener.click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await opener.evaluate((link) => link === document.activeElement), true, "focus is lost by Cancel");
    await opener.click();
    // Without the tick, the browser does not submit the form.
    await dialog.getByRole("button", { name: "Delete" }).click();
    await dialog.waitFor();
    await dialog.getByRole("checkbox").check();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("status").getByText("deleted").waitFor();
    assert.equal(await page.locator(`a[href*='${id}']`).count(), 0);
  });
});

test("a whole key that is pasted into the search never leaves the browser", async () => {
  const { id, key } = await makeKey(deployment, session, { name: "Pasted" });
  await inside(KEYS, async (page) => {
    const sent = [];
    page.on("request", (request) => sent.push(request.url(), request.postData() ?? "", JSON.stringify(request.headers())));
    const advice = page.getByRole("status").getByText("You pasted a whole key.");
    for (const text of [key, `Bearer ${key}`, `is it "${key}"?`]) {
      const search = page.getByRole("searchbox");
      await search.fill(text);
      assert.equal(await search.inputValue(), id);
      await advice.waitFor();
      await search.press("Enter");
      await page.waitForURL(`**/api-keys?q=${id}&status=`);
      await alive(page);
      await page.getByRole("row", { name: /Pasted/ }).waitFor();
      await advice.waitFor();
    }
    await page.reload();
    await alive(page);
    assert.equal(await advice.count(), 0, "the advice is repeated");
    const secret = key.split("_")[3];
    assert.ok(sent.length > 8 && !sent.some((text) => text.includes(secret)), "the secret was sent");
  });
});

test("a form says that the session has ended, and keeps its input", async () => {
  const visit = await open(browser);
  await signIn(visit.context, deployment, session);
  const { page } = visit;
  await page.goto(`${deployment.console}${KEYS}/new`);
  await alive(page);
  await page.getByLabel("API Key Name").fill("Typed for long");
  await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
  await visit.context.clearCookies();
  await page.getByRole("button", { name: "Create API Key" }).click();
  await page.getByRole("alert").getByText("You've been signed out").waitFor();
  assert.equal(await page.getByLabel("API Key Name").inputValue(), "Typed for long");
  await signIn(visit.context, deployment, session);
  await page.getByRole("button", { name: "Create API Key" }).click();
  await page.getByLabel("API key", { exact: true }).waitFor();
  await visit.close();
});

test("another site cannot post a form", async () => {
  const { id } = await makeKey(deployment, session, { name: "Target" });
  const visit = await open(browser);
  await signIn(visit.context, deployment, session);
  const { page } = visit;
  // The edge is another origin on the same host. Browsers call that same-site; the console rejects
  // it all the same.
  await page.goto(`${deployment.edge}/v1/health`);
  const action = `${deployment.console}${KEYS}/${id}/status`;
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url() === action),
    page.evaluate((target) => {
      const form = document.createElement("form");
      form.method = "post";
      form.action = target;
      form.innerHTML = "<input name=version value=1><input name=status value=inactive>";
      document.body.append(form);
      form.submit();
    }, action),
  ]);
  assert.equal(answer.status(), 403);
  assert.equal((await answer.json()).code, "cross_site");
  await page.goto(`${deployment.console}${KEYS}/${id}`);
  await page.getByText("Active", { exact: true }).first().waitFor();
  await visit.close();
});

test("without WASM's file the page still works", () =>
  inside(
    "/settings",
    async (page) => {
      await page.route("**/*.wasm", (route) => route.abort());
      await page.goto(`${deployment.console}${KEYS}/new`, { waitUntil: "networkidle" });
      assert.equal(await page.locator("html[data-ready]").count(), 0, "WASM ran all the same");
      await page.getByLabel("API Key Name").fill("No WASM");
      await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
      await page.getByRole("button", { name: "Create API Key" }).click();
      assert.match(await page.getByLabel("API key", { exact: true }).inputValue(), /^oc_live_/);
    },
    { expected: /page still works|ERR_FAILED/ },
  ));

test("a page without an island loads no WASM", async () => {
  const visit = await open(browser);
  const loaded = [];
  visit.page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
  for (const path of ["/sign-in", "/docs/errors"]) {
    await visit.page.goto(deployment.console + path, { waitUntil: "networkidle" });
  }
  await signIn(visit.context, deployment, session);
  for (const path of ["/", "/settings"]) {
    await visit.page.goto(deployment.console + path, { waitUntil: "networkidle" });
  }
  assert.ok(loaded.length > 8 && !loaded.some((path) => /\.(js|wasm)$/.test(path) && path !== "/docs/docs.js"), loaded.join("\n"));
  await visit.close();
});

test("a page of another origin may call the edge with any header and read the answer", async () => {
  const { key } = await makeKey(deployment, session, { name: "Cross-origin", quota: { limit: 9, period: "day" } });
  const visit = await open(browser);
  // The console is another origin, and its CSP allows requests to the edge.
  await visit.page.goto(`${deployment.console}/sign-in`);
  const seen = await visit.page.evaluate(
    async ([edge, key]) => {
      const headers = { Authorization: `Bearer ${key}`, Traceparent: "00-1-2-01", "If-None-Match": '"1"', "X-Custom": "1" };
      const read = await fetch(`${edge}/v1/contacts?limit=1`, { headers });
      const patched = await fetch(`${edge}/v1/contacts/c_0001`, { method: "PATCH", headers: { "X-API-Key": key, ...headers, Authorization: "" } });
      const names = ["Request-Id", "RateLimit", "Proxy-Status"].map((name) => read.headers.get(name));
      return { status: read.status, names, patched: patched.status };
    },
    [deployment.edge, key],
  );
  assert.equal(seen.status, 200);
  assert.ok(seen.names.every((value) => value !== null), JSON.stringify(seen.names));
  assert.equal(seen.patched, 403, "the scope is missing; the call itself came through");
  await visit.close();
});

test("a finger finds room on every page", async () => {
  await makeKey(deployment, session, { name: "Touched" });
  const visit = await open(browser, { viewport: { width: 375, height: 800 }, hasTouch: true, isMobile: true });
  await signIn(visit.context, deployment, session);
  const small = [];
  for (const path of [KEYS, `${KEYS}/new`, "/settings", "/"]) {
    await visit.page.goto(deployment.console + path);
    await alive(visit.page);
    small.push(
      ...(await visit.page.evaluate((path) => {
        const targets = [...document.querySelectorAll("a, button, select, textarea, input, label:has(input)")];
        const isOne = (target) => target.checkVisibility() && !target.closest(".skip, .enter, label:has(input) input[type=checkbox], label:has(input) input[type=radio]");
        return targets
          .filter(isOne)
          .filter((target) => target.getBoundingClientRect().height < 44)
          .map((target) => `${path}: ${target.getBoundingClientRect().height} px, ${target.outerHTML.slice(0, 80)}`);
      }, path)),
    );
  }
  await visit.close();
  assert.deepEqual(small, []);
});
