/**
 * F4: processes that are none of the manager's, at the port of a task.
 *
 * @module
 */

import { freePort } from "../../../tests/support/free_port.ts";
import {
  comes,
  type FaultScenario,
  FaultSession,
  isAlive,
  pause,
  readIfThere,
  scratchFolder,
  see,
} from "../fault_scenario.ts";
import type { Verb } from "../controls.ts";

/** How long a manager may take to do harm after its command has returned. */
const HARM_MS = 2_000;

/** How long the task may need to let go of its port. */
const FREE_MS = 15_000;

const CLIENT = "import socket,sys,time;" +
  's=socket.create_connection(("127.0.0.1",int(sys.argv[1])));' +
  'open(sys.argv[2],"w").write("up");time.sleep(86399)';

const HOLDER = "import socket,sys,time;s=socket.socket();" +
  "s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1);" +
  's.bind(("127.0.0.1",int(sys.argv[1])));s.listen();' +
  'open(sys.argv[2],"w").write("up");time.sleep(86399)';

/** The scenario. */
export const strangers: FaultScenario = {
  name: "F4",
  title: "a stranger at the task's port",
  how: "A process that the manager did not start is connected to the task's " +
    "port during `restart` and `stop`; then one listens on that port during " +
    "`start` and `stop`.",
  async run(subject, signal) {
    const scratch = await scratchFolder();
    const wanted = freePort();
    await using session = await FaultSession.open(subject, [{
      name: "web",
      command: `port=\${PORT:-${wanted}}; echo $port > ${scratch}/port; ` +
        "exec python3 -um http.server $port --bind 127.0.0.1",
      isOnce: true,
      port: wanted,
    }], signal);
    await session.session.start();
    const port = await see(
      "port",
      async () => Number(await readIfThere(`${scratch}/port`)) || null,
    );
    await see("server", () => accepts(port));
    await using client = await stranger(CLIENT, port, `${scratch}/client`);
    const clientFate = await fate(session, client.pid, ["restart", "stop"]);
    const isFree = await comes(async () => !await accepts(port), FREE_MS);
    if (!isFree) {
      return `client ${clientFate}; the task itself outlives \`stop\``;
    }
    await using holder = await stranger(HOLDER, port, `${scratch}/holder`);
    const holderFate = await fate(session, holder.pid, ["start", "stop"]);
    return `client ${clientFate}; listener ${holderFate}`;
  },
};

/** Does all of it to the task, and tells what the process did not survive. */
async function fate(
  session: FaultSession,
  pid: number,
  verbs: readonly Verb[],
): Promise<string> {
  let killer: Verb | null = null;
  for (const verb of verbs) {
    await session.act(verb, "web");
    await pause(HARM_MS);
    if (!await isAlive(pid)) killer ??= verb;
  }
  return killer === null ? "lives" : `killed by \`${killer}\``;
}

/** Outside of the sandbox: nothing of the manager's is in its environment or among its ancestors. */
async function stranger(
  program: string,
  port: number,
  file: string,
): Promise<AsyncDisposable & { readonly pid: number }> {
  const child = new Deno.Command("python3", {
    args: ["-c", program, String(port), file],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await see("stranger", async () => await readIfThere(file) === "up");
  return {
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      if (!await comes(() => isGone(child), 0)) child.kill("SIGKILL");
      await child.status;
    },
  };
}

async function isGone(child: Deno.ChildProcess): Promise<boolean> {
  return !await isAlive(child.pid);
}

async function accepts(port: number): Promise<boolean> {
  try {
    using _conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
