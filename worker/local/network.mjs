// A runtime of its own in front of the Workers. Only a runtime that is asked directly knows who asks.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import workerd from "workerd";

const here = dirname(fileURLToPath(import.meta.url));

/**
 * Listens on ports and hands on what comes, each to the address of a Worker: [{ listen, worker }].
 * Writes its configuration into `folder`. Resolves to how to stop it; `ended` is called if it ends by itself.
 */
export async function open(folder, compatibilityDate, doors, ended) {
  const services = doors.flatMap(({ worker }, door) => [
    `(name = "worker-${door}", external = (address = "${worker}", http = ()))`,
    `(name = "front-${door}", worker = (
        modules = [(name = "front.mjs", esModule = embed "front.mjs")],
        compatibilityDate = "${compatibilityDate}",
        bindings = [(name = "WORKER", service = "worker-${door}")]))`,
  ]);
  const sockets = doors.map(
    ({ listen }, door) => `(name = "socket-${door}", address = "${listen}", http = (), service = "front-${door}")`,
  );
  const config = join(folder, "front.capnp");
  copyFileSync(join(here, "front.mjs"), join(folder, "front.mjs"));
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (services = [${services.join(",\n")}], sockets = [${sockets.join(",\n")}]);`,
  );
  const child = spawn(workerd.default, ["serve", "--control-fd=3", config], { stdio: ["ignore", 2, 2, "pipe"] });
  const exit = once(child, "exit");
  exit.then(ended);
  let listening = 0;
  for await (const chunk of child.stdio[3]) {
    listening += chunk.toString().split('"event":"listen"').length - 1;
    if (listening >= doors.length) break;
  }
  if (listening < doors.length) throw new Error("a port cannot be listened on");
  return async () => {
    child.kill("SIGTERM");
    await exit;
  };
}
