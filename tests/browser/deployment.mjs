// Starts a deployment for one test file with `cargo xtask dev`, on free ports. Its state is in a
// temporary folder, which is removed at exit.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export const OWNER = {
  name: "Ada Owner",
  email: "ada@example.com",
  password: "correct horse battery staple",
  workspace: "Acme",
};

/** Build profile under test: release, unless `OWNCHAT_MODE` is `dev`. */
const MODE = process.env.OWNCHAT_MODE === "dev" ? [] : ["--release"];

/** Start-up timeout, in milliseconds. */
const LIMIT = 60_000;

/**
 * Starts a deployment with options of `cargo xtask dev`. Resolves to the content of its ready file,
 * such as its URLs, and a `stop` function.
 */
export async function deploy(options = ["--no-build"]) {
  const folder = mkdtempSync(join(tmpdir(), "ownchat-browser-"));
  const ready = join(folder, "ready.json");
  const log = openSync(join(folder, "log"), "a");
  const [console_, edge, upstream] = await freePorts(3);
  const [program, ...words] = process.env.OWNCHAT_XTASK ? [process.env.OWNCHAT_XTASK] : ["cargo", "xtask"];
  const child = spawn(program, [...words, "dev", "--temporary", ...MODE, ...options], {
    cwd: import.meta.dirname,
    // Ends when its standard input closes, and so with this process, however that ends.
    stdio: ["pipe", log, log],
    env: {
      ...process.env,
      CONSOLE_PORT: console_,
      EDGE_PORT: edge,
      UPSTREAM_PORT: upstream,
      DATA_DIR: join(folder, "data"),
      READY_FILE: ready,
    },
  });
  const ended = once(child, "exit");
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const begin = Date.now();
  while (!existsSync(ready)) {
    if (child.exitCode !== null || Date.now() - begin > LIMIT) {
      child.stdin.end();
      throw new Error(`the deployment did not start:\n${readFileSync(join(folder, "log"), "utf8")}`);
    }
    await pause(50);
  }
  return {
    ...JSON.parse(readFileSync(ready, "utf8")),
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/** Creates the owner through the API. Resolves to the value of the session cookie. */
export async function setUp(deployment) {
  const answer = await fetch(`${deployment.console}/api/v1/setup`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: deployment.console },
    body: JSON.stringify({ token: deployment.setup_token, ...OWNER }),
  });
  if (answer.status !== 201) throw new Error(await answer.text());
  return /__Host-ownchat-session=([^;]+)/.exec(answer.headers.get("set-cookie"))[1];
}

/** Creates a key through the API. Resolves to the response body. */
export async function makeKey(deployment, session, key) {
  const answer = await fetch(`${deployment.console}/api/v1/keys`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Origin: deployment.console,
      Cookie: `__Host-ownchat-session=${session}`,
    },
    body: JSON.stringify({ environment: "live", scopes: ["contacts:read"], ...key }),
  });
  if (answer.status !== 201) throw new Error(await answer.text());
  return answer.json();
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
