/**
 * A program in place of the daemon: greets, fails, leaves or hangs, as the file `behaviour` in TASKMUX_HOME says.
 *
 * @module
 */

import { resolvePaths } from "../../../src/config/paths.ts";
import { HELLO } from "./_frame_server.ts";

const paths = resolvePaths({ TASKMUX_HOME: Deno.env.get("TASKMUX_HOME") });
await Deno.mkdir(paths.runDir, { recursive: true });
await Deno.writeTextFile(`${paths.home}/started`, `${Deno.pid}\n`, {
  append: true,
});
const behaviour = await Deno.readTextFile(`${paths.home}/behaviour`);
switch (behaviour) {
  case "fails":
    console.error("\x1b[31mCannot open\x1b[0m the state: disk is full");
    Deno.exit(1);
    break;
  case "leaves":
    Deno.exit(0);
    break;
  case "leaves once":
    await Deno.writeTextFile(`${paths.home}/behaviour`, "greets");
    Deno.exit(0);
    break;
  case "hangs":
    await new Promise((resolve) =>
      Deno.addSignalListener("SIGTERM", () => resolve(null))
    );
    Deno.exit(0);
    break;
  default:
    await greetOnce();
}

/** Serves one connection to its end, so that no test leaves a process. */
async function greetOnce(): Promise<void> {
  const lock = await Deno.open(paths.daemonLock, { create: true, write: true });
  if (!await lock.tryLock(true)) return;
  const listener = Deno.listen({ transport: "unix", path: paths.daemonSocket });
  const conn = await listener.accept();
  await conn.write(new TextEncoder().encode(JSON.stringify(HELLO) + "\n"));
  await conn.read(new Uint8Array(1));
  conn.close();
  listener.close();
}
