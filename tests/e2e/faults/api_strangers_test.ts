/**
 * Other users of the machine: its loopback is theirs too, and whoever may start tasks runs programs as this user.
 *
 * @module
 */

import assert from "node:assert/strict";
import { freePort } from "../../support/free_port.ts";
import { mcpClient } from "../../support/mcp_client.ts";
import { sendRaw } from "../../support/raw_http.ts";
import { AS_SECOND_USER, CAN_CHANGE_USER } from "../../support/second_user.ts";
import { type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** Runs a program as somebody else. @returns What it said. */
async function asStranger(...command: readonly string[]): Promise<string> {
  const [program = "", ...args] = [...AS_SECOND_USER, ...command];
  const { stdout } = await new Deno.Command(program, { args }).output();
  return new TextDecoder().decode(stdout);
}

async function apiPort(taskmux: Taskmux): Promise<number> {
  const { api_port } = await taskmux.ok<{ api_port: number }>([
    "daemon",
    "status",
  ]);
  return api_port;
}

async function refusals({ home }: Taskmux): Promise<string[]> {
  const log = await Deno.readTextFile(home.paths.daemonLog);
  return log.split("\n").filter((line) => line.includes("was refused"));
}

Deno.test({
  name: "another user of the machine may not ask, and keeps nobody from asking",
  ignore: !CAN_CHANGE_USER,
  fn: async () => {
    await using taskmux = await testTaskmux();
    await taskmux.ok(["daemon", "start"]);
    const port = await apiPort(taskmux);
    await using own = await mcpClient(taskmux);
    const initialize = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "stranger", version: "1" },
      },
    });
    const json = ["-H", "content-type: application/json"];
    const accept = ["-H", "accept: application/json, text/event-stream"];
    for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
      const url = `http://${host}:${port}/mcp`;
      const post = ["-s", "-i", ...json, ...accept, "-d", initialize, url];
      const session = `mcp-session-id: ${own.sessionId}`;
      for (
        const args of [
          post,
          // Not even with the id of somebody's session.
          [...post, "-H", session],
          ["-s", "-i", "-X", "DELETE", "-H", session, url],
          ["-s", "-i", `http://${host}:${port}/`],
        ]
      ) {
        const answer = await asStranger("curl", ...args);
        assert.match(answer, /^HTTP\/1\.1 403 /, args.join(" "));
        assert.match(answer, /\{"ok":false,"error":"forbidden_user"\}$/);
      }
    }
    const many = asStranger(
      "python3",
      "-c",
      `import socket,sys
held=[]
for n in range(400):
  s=socket.create_connection(("127.0.0.1",${port}))
  s.setblocking(False)
  held.append(s)
print("held", flush=True)`,
    );
    for (let n = 0; n < 20; n++) {
      assert.equal((await sendRaw(port, GET)).status, 200, "its own user");
    }
    assert.equal(await many, "held\n");
    assert.notDeepEqual(await own.request("tools/list"), {});
    const told = await refusals(taskmux);
    assert.match(told[0] ?? "", /it is user 65533's/);
    assert(told.length <= 12, `${told.length} lines`);
  },
});

Deno.test({
  name: "while nobody can tell whose a connection is, nobody new may ask",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using taskmux = await testTaskmux({ expectedErrors: /keeper/ });
    await taskmux.ok(["daemon", "start"]);
    const port = await apiPort(taskmux);
    await using own = await mcpClient(taskmux);
    const { keeper } = await taskmux.ok<{ keeper: { pid: number } }>([
      "daemon",
      "status",
    ]);
    Deno.kill(keeper.pid, "SIGSTOP");
    try {
      assert.equal((await sendRaw(port, GET)).status, 403);
      // Who was let in before goes on.
      assert.notDeepEqual(await own.request("ping"), null);
    } finally {
      Deno.kill(keeper.pid, "SIGCONT");
    }
    await until(async () => (await sendRaw(port, GET)).status === 200);
    assert.match((await refusals(taskmux))[0] ?? "", /cannot be told/);
  },
});

Deno.test("a stranger on the other address of localhost is warned of", async () => {
  const port = freePort();
  using stranger = Deno.listen({ hostname: "::1", port });
  await using taskmux = await testTaskmux({
    hostConfig: `api_port = ${stranger.addr.port}\nproxy_enabled = false\n`,
  });
  await taskmux.ok(["daemon", "start"]);
  const { warnings } = await taskmux.ok<{ warnings: string[] }>([
    "daemon",
    "status",
  ]);
  assert.match(warnings.join("\n"), /port \d+ of \[::1\] is another program's/);
  assert.equal((await sendRaw(port, GET)).status, 200);
});
