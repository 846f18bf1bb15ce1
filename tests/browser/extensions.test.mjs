// Browser extensions change the document before and after hydration. Password managers put elements
// beside fields; translators wrap texts in <font>. No input is lost, and no island is dead or half
// alive.

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

/**
 * Runs in the page. `element` puts one after every element, as password managers do. `font`
 * replaces every text with a wrapped copy, as translators do. With `only`, changes just the node
 * with that index; with `selector`, the nodes that match it. `clone` replaces every island by its
 * copy, as a script does that writes the document's HTML anew.
 */
function disturb({ kind, only, selector }) {
  if (kind === "clone") {
    for (const island of document.querySelectorAll("leptos-island")) island.replaceWith(island.cloneNode(true));
    return 0;
  }
  const nodes = [];
  for (const island of document.querySelectorAll("leptos-island")) {
    const show = kind === "font" ? NodeFilter.SHOW_TEXT : NodeFilter.SHOW_ELEMENT;
    const walker = document.createTreeWalker(island, show);
    while (walker.nextNode()) nodes.push(walker.currentNode);
  }
  const matches = (node) => node.nodeType === Node.ELEMENT_NODE && node.matches(selector);
  const chosen = selector ? nodes.filter(matches) : only === undefined ? nodes : [nodes[only % nodes.length]];
  for (const node of chosen) {
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    if (kind === "font") {
      inner.textContent = node.data;
      outer.append(inner);
      node.replaceWith(outer);
    } else {
      inner.className = "foreign";
      node.after(inner);
    }
  }
  return nodes.length;
}

/**
 * Runs in the page before any other script. Disturbs it after parsing or, with `early`, during
 * parsing.
 */
function later({ kind, only, selector, early, source }) {
  const act = new Function(`return ${source}`)();
  if (!early) return document.addEventListener("DOMContentLoaded", () => act({ kind, only, selector }));
  // Runs before the script at the end of the document.
  new MutationObserver((changes, observer) => {
    if (!document.querySelector("script[data-assets]")) return;
    observer.disconnect();
    act({ kind, only, selector });
  }).observe(document, { childList: true, subtree: true });
}

/** Opens a page, disturbs it at the time `when`, and runs `work` on it. */
async function disturbed({ kind, when, only, selector }, path, work) {
  const expected = when === "parsing" ? /page still works|unreachable|hydration error/ : /^$/;
  const visit = await open(browser, { expected, permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = visit;
  await signIn(visit.context, deployment, session);
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route("**/*.wasm", async (route) => {
    await released;
    await route.continue();
  });
  if (when === "parsing" || when === "loading") {
    await page.addInitScript(later, { kind, only, selector, early: when === "parsing", source: disturb.toString() });
  }
  await page.goto(deployment.console + path);
  const come = async () => {
    release();
    // Early changes may break hydration: then the page logs that it works without it.
    if (when !== "parsing") return alive(page);
    return Promise.race([alive(page), page.waitForEvent("console", (message) => /page still works/.test(message.text()))]);
  };
  const touch = async () => {
    if (when === "waiting") await page.evaluate(disturb, { kind, only });
    await come();
    if (when === "alive") await page.evaluate(disturb, { kind, only });
  };
  await work(page, touch);
  await visit.close();
}

/** Asserts that the edge accepts the key on the page. */
async function opens(page) {
  const key = await page.locator("#new-key").inputValue();
  const answer = await fetch(`${deployment.edge}/v1/key`, { headers: { Authorization: `Bearer ${key}` } });
  assert.equal(answer.status, 200);
  return key;
}

const KINDS = ["element", "font"];
// During parsing, after parsing, while the WASM is loading, and after hydration.
const TIMES = ["parsing", "loading", "waiting", "alive"];

for (const kind of KINDS) {
  for (const when of TIMES) {
    const name = `${kind} at every node, ${when}`;
    test(`${name}: the create form loses nothing`, () =>
      disturbed({ kind, when }, `${KEYS}/new`, async (page, touch) => {
        // Typed before hydration: the value and the selection survive.
        await page.locator("#name").fill(name);
        await page.locator("input[name=scopes][value='contacts:read']").check();
        await page.locator("#name").focus();
        await page.locator("#name").evaluate((input) => input.setSelectionRange(2, 5));
        await touch();
        const state = await page.evaluate(() => {
          const { value, selectionStart, selectionEnd } = document.querySelector("#name");
          return [value, selectionStart, selectionEnd, document.activeElement.id];
        });
        assert.deepEqual(state, [name, 2, 5, "name"]);
        assert.equal(await page.locator("input[name=scopes]:checked").count(), 1);
        // An error and its correction, each of which changes texts.
        await page.locator("#name").fill("");
        await page.locator(".actions button[type=submit]").click();
        await page.getByRole("alert").waitFor();
        if (when === "alive") await page.evaluate(disturb, { kind });
        await page.locator("#name").fill(name);
        await page.locator("input[name=scopes][value='contacts:read']").check();
        await page.locator(".actions button[type=submit]").click();
        await page.locator("#new-key").waitFor();
        await opens(page);
        assert.equal(await page.locator("form.form:visible").count(), 0, "the form stands beside the key");
        if (when === "parsing") return;
        if (when === "alive") await page.evaluate(disturb, { kind });
        const line = page.locator(".copy-line").filter({ has: page.locator("#new-key") });
        await line.getByRole("button").click();
        await line.getByText("Copied").waitFor();
        await page.getByRole("button", { name: "Try it" }).click();
        await page.getByText("200 OK").waitFor();
      }));

    test(`${name}: links that open a dialog lead on`, async () => {
      const { id } = await makeKey(deployment, session, { name: `Doomed ${name}` });
      await disturbed({ kind, when }, `${KEYS}/${id}`, async (page, touch) => {
        await touch();
        await page.locator(`a[href$='${id}/delete']`).click();
        await page.locator("input[name=confirm]").check();
        await page.locator("button.button-danger").click();
        await page.getByRole("status").getByText("deleted").waitFor();
      });
    });
  }

  test(`${kind} at one node while the document is parsed: the key is made and shown`, async () => {
    // Hydration may fail at any node, or match a wrong node of the right kind.
    let nodes = 1;
    for (let only = 0; only < nodes; only += Math.ceil(nodes / 12)) {
      await disturbed({ kind, when: "parsing", only }, `${KEYS}/new`, async (page, touch) => {
        await touch();
        if (nodes === 1) nodes = await page.evaluate(disturb, { kind, only: 0 });
        await page.locator("#name").fill(`${kind} at ${only}`);
        await page.locator("input[name=scopes][value='contacts:read']").check();
        await page.locator(".actions button[type=submit]").click();
        await page.locator("#new-key").waitFor();
        await opens(page);
      });
    }
    assert.ok(nodes > 100, `${nodes} nodes`);
  });
}

test("a key that the server made is shown whole, and its buttons live", async () => {
  for (const kind of KINDS) {
    await disturbed({ kind, when: "loading" }, `${KEYS}/new`, async (page, touch) => {
      // Submitted before the WASM has loaded.
      await page.locator("#name").fill(`Posted, ${kind}`);
      await page.locator("input[name=scopes][value='contacts:read']").check();
      await page.locator(".actions button[type=submit]").click();
      await page.locator("#new-key").waitFor();
      // Loaded with its style sheet.
      await page.waitForLoadState();
      assert.equal(await page.locator(".needs-wasm:visible").count(), 0, "a dead button is shown");
      await touch();
      const key = await opens(page);
      await page.getByRole("button", { name: "Copy" }).first().click();
      await page.getByRole("button", { name: "Copied" }).first().waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
    });
  }
});

test("a key that the server made is shown once, where hydration fails beside it", async () => {
  for (const selector of ["#new-key", "#new-curl"]) {
    await disturbed({ kind: "element", when: "parsing", selector }, `${KEYS}/new`, async (page, touch) => {
      await page.locator("#name").fill(`Posted, ${selector}`);
      await page.locator("input[name=scopes][value='contacts:read']").check();
      await page.locator(".actions button[type=submit]").click();
      await page.locator("#new-key").waitFor();
      await touch();
      await opens(page);
      for (const id of ["new-key", "new-curl", "reveal-title"]) {
        assert.equal(await page.locator(`#${id}`).count(), 1, `${id} beside ${selector}`);
      }
      const isInside = await page.evaluate(() => [document.body, null].includes(document.activeElement) || document.activeElement.closest("main") !== null);
      assert.ok(isInside, "focus has left the page's content");
    });
  }
});

test("islands that were replaced by copies are alive", async () => {
  await disturbed({ kind: "clone", when: "loading" }, `${KEYS}/new`, async (page, touch) => {
    await touch();
    await page.locator("#name").fill("Copied islands");
    await page.locator("input[name=scopes][value='contacts:read']").check();
    await page.locator(".actions button[type=submit]").click();
    await page.locator("#new-key").waitFor();
    assert.equal(await page.locator("#new-key").count(), 1);
    const key = await opens(page);
    await page.getByRole("button", { name: "Copy" }).first().click();
    await page.getByRole("button", { name: "Copied" }).first().waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  });
});
