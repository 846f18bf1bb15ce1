// The main user journey, end to end, as a new user: with WASM, and with JavaScript disabled.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { alive, launch, open } from "./browser.mjs";
import { OWNER, deploy } from "./deployment.mjs";

/** Deadline for a key change to take effect at the edge, in milliseconds. */
const BOUND = 10_000;

let browser;
before(async () => void (browser = await launch()));
after(() => browser?.close());

for (const javaScriptEnabled of [true, false]) {
  test(`from set-up to a deleted key, ${javaScriptEnabled ? "with WASM" : "without JavaScript"}`, async () => {
    const deployment = await deploy();
    try {
      await doTheJob(deployment, javaScriptEnabled);
    } finally {
      await deployment.stop();
    }
  });
}

async function doTheJob(deployment, javaScriptEnabled) {
  const visit = await open(browser, { javaScriptEnabled, permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = visit;
  const settled = () => (javaScriptEnabled ? alive(page) : page.waitForLoadState());

  // Set up.
  await page.goto(deployment.setup_url);
  await settled();
  await page.getByLabel("Your name").fill(OWNER.name);
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  if (javaScriptEnabled) await page.getByText("Strong.", { exact: true }).waitFor();
  await page.getByLabel("Business name").fill(OWNER.workspace);
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.getByRole("heading", { name: "Create your first API key" }).waitFor();

  // Sign out, sign in.
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in" }).click();

  // Settings, Developer, API Keys, Create API Key.
  await page.getByRole("navigation", { name: "Ownchat" }).getByRole("link", { name: "Settings" }).click();
  const developer = page.getByRole("region", { name: "Developer" });
  await developer.getByRole("link", { name: "API Keys" }).click();
  await page.getByRole("link", { name: "Create API Key" }).click();
  await settled();
  await page.getByLabel("API Key Name").fill("Shop");
  await page.getByLabel("Description").fill("Reads contacts for the till.");
  await page.getByRole("radio", { name: /^30 days/ }).check();
  await page.getByRole("checkbox", { name: "Read contacts contacts:read" }).check();
  await page.getByRole("button", { name: "Create API Key" }).click();

  // Copy the key, and run the curl command on the page.
  const key = await shown(page, "API key", javaScriptEnabled);
  assert.match(key, /^oc_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{30}$/);
  const curl = await shown(page, "Terminal", javaScriptEnabled);
  const first = await shell(curl);
  assert.equal(first.status, 200, first.body);
  assert.ok(JSON.parse(first.body).data.length > 0);
  if (javaScriptEnabled) {
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("200").first().waitFor();
  }

  // Call a route whose scope the key lacks.
  const sending = `curl -X POST ${deployment.edge}/v1/messages -H 'Authorization: Bearer ${key}'`;
  const refused = await shell(sending);
  assert.equal(refused.status, 403, refused.body);
  assert.equal(JSON.parse(refused.body).code, "SCOPE_MISSING");
  assert.deepEqual(JSON.parse(refused.body).missing, ["messages:send"]);

  // Check the five columns.
  await page.getByRole("link", { name: "Done, I stored it" }).click();
  assert.deepEqual(await page.getByRole("columnheader").allTextContents(), [
    "API Key Name",
    "Access Scope",
    "Status",
    "Created Date",
    "Actions",
  ]);
  const row = page.getByRole("row", { name: /Shop/ });
  for (const text of ["contacts:read", "Active", `by ${OWNER.name}`]) {
    await row.getByText(text).first().waitFor();
  }
  assert.ok(!(await page.content()).includes(key), "the key is shown again");

  // Deactivate, activate.
  await row.getByRole("button", { name: "Deactivate Shop" }).click();
  await row.getByText("Inactive").waitFor();
  await page.getByText(/is off\. Refused everywhere from \d\d:\d\d:\d\d UTC/).waitFor();
  await becomes(curl, 401, "INACTIVE");
  await row.getByRole("button", { name: "Activate Shop" }).click();
  await row.getByText("Active", { exact: true }).waitFor();
  await becomes(curl, 200);

  // Edit: another name, one more scope.
  await row.getByRole("link", { name: "Edit Shop" }).click();
  await settled();
  assert.equal(await page.getByLabel("Description").inputValue(), "Reads contacts for the till.");
  await page.getByLabel("API Key Name").fill("Till");
  await page.getByRole("checkbox", { name: /messages:send$/ }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /Till/ }).getByText("messages:send").waitFor();
  await becomes(sending, 400);

  // Delete, after confirmation.
  await settled();
  await page.getByRole("link", { name: "Delete" }).click();
  const question = javaScriptEnabled ? page.getByRole("dialog") : page.getByRole("main");
  await question.getByRole("heading", { name: "Delete “Till”?" }).waitFor();
  await question.getByLabel(/will stop working/).check();
  await question.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "Create your first API key" }).waitFor();
  await becomes(curl, 401, "UNKNOWN_KEY");
  await visit.close();
}

/** Reads a field of the one-time display: with JavaScript, by its Copy button and the clipboard. */
async function shown(page, label, javaScriptEnabled) {
  const field = page.getByLabel(label, { exact: true });
  await field.waitFor();
  if (!javaScriptEnabled) return field.inputValue();
  const line = page.locator(".copy-line").filter({ has: page.getByLabel(label, { exact: true }) });
  await line.getByRole("button", { name: "Copy" }).click();
  await line.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await field.inputValue());
  return copied;
}

/** Runs a curl command in a shell. Resolves to the status code and body of the response. */
async function shell(command) {
  const { stdout } = await promisify(execFile)("sh", ["-c", `${command} -sS -w '\\n%{http_code}'`]);
  const end = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

/** Repeats a command until the response has this status and code, within the deadline. */
async function becomes(command, status, code) {
  const begin = Date.now();
  for (;;) {
    const answer = await shell(command);
    if (answer.status === status && (!code || JSON.parse(answer.body).code === code)) return;
    assert.ok(Date.now() - begin < BOUND, `still ${answer.status} after ${BOUND} ms: ${answer.body}`);
    await pause(100);
  }
}
