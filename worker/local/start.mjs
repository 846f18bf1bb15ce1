// Runs the Workers on this machine: workerd with its embedded stores, as the platform would run them.
//
// The first line on standard input is the configuration, in JSON:
//   { built, data, console: {port}, edge: {port}, upstream, site, siteVersion, setupToken,
//     startedAt, masterKeys, principalKey }
// Prints one line, "ready", when all ports answer. Ends when standard input does.

import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { open } from "./network.mjs";
import { Log, LogLevel, Miniflare } from "miniflare";

/** Not newer than the installed workerd. */
const COMPATIBILITY = { compatibilityDate: "2026-11-01" };
const HOST = "127.0.0.1";
const here = dirname(fileURLToPath(import.meta.url));

const input = createInterface({ input: process.stdin });
const [line] = await once(input, "line");
const config = JSON.parse(line);
const origin = (port) => `http://${HOST}:${port}`;

mkdirSync(config.data, { recursive: true, mode: 0o700 });

/** A Worker that worker-build made. */
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

/** Where a Worker is reached from outside of Miniflare. */
const door = { unsafeDirectSockets: [{ host: HOST, port: 0 }] };

const object = (className) => ({ className, useSQLite: true });

const workers = [
  built("edge", {
    ...door,
    kvNamespaces: { KEYS: "keys" },
    serviceBindings: { VAULT: "vault" },
    bindings: {
      MASTER_KEYS: config.masterKeys,
      PRINCIPAL_KEY: config.principalKey,
      UPSTREAM_URL: config.upstream,
      CONSOLE_URL: origin(config.console.port),
    },
  }),
  built("vault", {
    kvNamespaces: { KEYS: "keys" },
    durableObjects: {
      FEED: object("Feed"),
      INSTANCE: object("Instance"),
      METER: object("Meter"),
      PERSON: object("Person"),
      REGISTRY: object("Registry"),
      USAGE: object("Usage"),
    },
    bindings: { MASTER_KEYS: config.masterKeys, SETUP_TOKEN: config.setupToken, STARTED_AT: config.startedAt },
  }),
  built("console", {
    ...door,
    serviceBindings: { VAULT: "vault" },
    bindings: {
      MASTER_KEYS: config.masterKeys,
      EDGE_URL: origin(config.edge.port),
      ASSETS_VERSION: config.siteVersion,
    },
    assets: { directory: config.site, binding: "ASSETS", routerConfig: { has_user_worker: true } },
  }),
];

const miniflare = new Miniflare({
  workers,
  defaultPersistRoot: config.data,
  host: HOST,
  port: 0,
  // What Cloudflare's network would tell of a request; it is not asked for.
  cf: false,
  log: new Log(LogLevel.WARN),
});

let stopping = false;
let close = async () => {};
async function stop(code) {
  if (stopping) return;
  stopping = true;
  await close();
  await miniflare.dispose();
  process.exit(code);
}

input.on("close", () => stop(0));
process.on("SIGTERM", () => stop(0));

try {
  await miniflare.ready;
  const doors = [];
  for (const name of ["edge", "console"]) {
    const worker = (await miniflare.unsafeGetDirectURL(name)).host;
    doors.push({ listen: `${HOST}:${config[name].port}`, worker });
  }
  close = await open(config.data, COMPATIBILITY.compatibilityDate, doors, () => stop(1));
  console.log("ready");
} catch (error) {
  console.error(error.message ?? error);
  await stop(1);
}
