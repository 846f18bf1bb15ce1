// Runs the Workers locally on workerd, with its embedded stores, as the platform would.
//
// The first line on standard input is the configuration, in JSON:
//   { built, data, console: {port}, edge: {port}, upstream, limits, site, siteVersion, setupToken,
//     startedAt, masterKeys, principalKey, serviceTokens }
// Prints one line, "ready", when all ports listen. Stops at the end of standard input.

import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";

/** Must not be newer than the installed workerd. */
const COMPATIBILITY = { compatibilityDate: "2026-11-01" };
const HOST = "127.0.0.1";
const here = dirname(fileURLToPath(import.meta.url));

const input = createInterface({ input: process.stdin });
const [line] = await once(input, "line");
const config = JSON.parse(line);
const origin = (port) => `http://${HOST}:${port}`;

mkdirSync(config.data, { recursive: true, mode: 0o700 });

/** Describes a built Worker for Miniflare. */
const built = (name, more) => {
  const modulesRoot = join(config.built, name);
  return {
    ...COMPATIBILITY,
    name,
    modulesRoot,
    modules: [
      { type: "ESModule", path: join(modulesRoot, "index.js") },
      { type: "CompiledWasm", path: join(modulesRoot, "index_bg.wasm") },
    ],
    ...more,
  };
};

/** The secret that authenticates the front to the door. */
const secret = randomBytes(32).toString("hex");

const object = (className) => ({ className, useSQLite: true });

const workers = [
  // First in the list, so that Miniflare's own port leads here as well.
  {
    ...COMPATIBILITY,
    name: "door",
    modules: true,
    scriptPath: join(here, "door.mjs"),
    unsafeDirectSockets: [{ host: HOST, port: 0 }],
    serviceBindings: { console: "console", edge: "edge" },
    bindings: { SECRET: secret },
  },
  built("edge", {
    // Lets the gateway detect that the client has disconnected.
    compatibilityFlags: ["enable_request_signal"],
    kvNamespaces: { KEYS: "keys" },
    serviceBindings: { VAULT: "vault" },
    bindings: {
      MASTER_KEYS: config.masterKeys,
      PRINCIPAL_KEY: config.principalKey,
      SERVICE_TOKENS: config.serviceTokens,
      UPSTREAM_URL: config.upstream,
      CONSOLE_URL: origin(config.console.port),
      ...config.limits,
    },
  }),
  built("vault", {
    kvNamespaces: { KEYS: "keys" },
    durableObjects: {
      FEED: object("Feed"),
      HASHER: { ...object("Hasher"), scriptName: "hasher" },
      INSTANCE: object("Instance"),
      METER: object("Meter"),
      PERSON: object("Person"),
      REGISTRY: object("Registry"),
      USAGE: object("Usage"),
    },
    bindings: { MASTER_KEYS: config.masterKeys, SETUP_TOKEN: config.setupToken, STARTED_AT: config.startedAt },
  }),
  // A second isolate of the vault's code, for the objects that hash passwords.
  built("vault", {
    name: "hasher",
    // Lets an object detect that its caller has disconnected.
    compatibilityFlags: ["enable_request_signal"],
    durableObjects: { HASHER: object("Hasher") },
  }),
  built("console", {
    serviceBindings: { VAULT: "vault" },
    bindings: {
      MASTER_KEYS: config.masterKeys,
      EDGE_URL: origin(config.edge.port),
      ASSETS_VERSION: config.siteVersion,
    },
    assets: { directory: config.site, binding: "ASSETS", routerConfig: { has_user_worker: true }, assetConfig: { html_handling: "drop-trailing-slash" } },
  }),
];

const miniflare = new Miniflare({
  workers,
  defaultPersistRoot: config.data,
  host: HOST,
  port: 0,
  // Disables the download of sample network metadata (`request.cf`).
  cf: false,
  log: new Log(LogLevel.WARN),
});

let stopping = false;
let front;
async function stop(code) {
  if (stopping) return;
  stopping = true;
  front?.kill();
  await miniflare.dispose();
  process.exit(code);
}

input.on("close", () => stop(0));
process.on("SIGTERM", () => stop(0));

/** Starts the front, and restarts it whenever it ends. Resolves once it listens. */
async function openFront(settings) {
  front = fork(join(here, "front.mjs"), { stdio: ["pipe", 2, 2, "ipc"] });
  front.send(settings);
  const ended = once(front, "exit");
  const [listens] = await Promise.race([once(front, "message"), ended.then(() => [])]);
  if (!listens) throw new Error("a port cannot be listened on");
  ended.then(() => {
    if (stopping) return;
    console.error("the front ended; starting it again");
    openFront(settings).catch(() => stop(1));
  });
}

try {
  await miniflare.ready;
  const door = Number((await miniflare.unsafeGetDirectURL("door")).port);
  const listen = ["edge", "console"].map((worker) => ({ port: config[worker].port, worker }));
  const docs = `${origin(config.console.port)}/docs/errors`;
  const bodyLimit = Number(config.limits.REQUEST_IDLE_MS ?? 30_000);
  await openFront({ door, secret, docs, bodyLimit, listen });
  console.log("ready");
} catch (error) {
  console.error(error.message ?? error);
  await stop(1);
}
