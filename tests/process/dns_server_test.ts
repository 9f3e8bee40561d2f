import assert from "node:assert/strict";
import { denoCommand } from "../../src/config/launch.ts";
import { daemonFlags } from "../../src/config/permissions.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { message } from "../support/dns_packets.ts";
import { canRun } from "../support/optional_tool.ts";
import { tempHome } from "../support/temp_home.ts";
import { until } from "../support/until.ts";

const HAS_DIG = canRun("DNS by the tools of others", ["dig", "-v"]);

/** The server as a process with the flags of the daemon. */
interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly problems: readonly string[];
}

async function serve(
  port: number,
  ...names: readonly string[]
): Promise<ServerProcess> {
  const home = await tempHome();
  const { program, args } = denoCommand({
    entry: `${REPOSITORY}/tests/fixtures/programs/dns_server.ts`,
    flags: daemonFlags(home.paths),
    args: [String(port), ...names],
  });
  const child = new Deno.Command(program, {
    args,
    env: home.env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  const said = JSON.parse(value ?? "null");
  return {
    ...said,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await reader.cancel();
      const { code } = await child.status;
      await home[Symbol.asyncDispose]();
      assert.equal(code, 0, "the server ended with a failure");
    },
  };
}

/** What `dig` says, as comparable facts. */
async function dig(port: number, ...words: string[]) {
  const { stdout } = await new Deno.Command("dig", {
    args: [
      "@127.0.0.1",
      "-p",
      `${port}`,
      "+norec",
      "+tries=1",
      "+time=3",
      ...words,
    ],
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const status = /status: (\w+)/.exec(text)?.[1];
  const records = (part: string): string[] =>
    (new RegExp(`;; ${part} SECTION:\\n([^;]*)`).exec(text)?.[1] ?? "")
      .split("\n").filter((line) => line !== "")
      .map((line) => line.split(/\s+/).join(" "));
  return {
    status,
    answers: records("ANSWER"),
    authority: records("AUTHORITY").map((line) => line.split(" ")[3]),
    question: /;; QUESTION SECTION:\n;(\S+)/.exec(text)?.[1],
    edns: /EDNS: version: 0, flags:[^;]*; udp: (\d+)/.exec(text)?.[1],
    opcode: /opcode: (\w+)/.exec(text)?.[1],
    warnings: text.split("\n").filter((line) => /WARNING|mismatch/.test(line)),
    overTcp: /SERVER: .*\(TCP\)/.test(text),
  };
}

Deno.test({
  name: "dig gets every kind of answer by UDP and TCP",
  ignore: !HAS_DIG,
  fn: async () => {
    await using server = await serve(0, "test", "api.shop.test", "*.blog.test");
    const { port } = server;
    assert.deepEqual(server.addresses, ["127.0.0.1", "::1"]);
    for (const transport of ["+notcp", "+tcp"]) {
      const ask = (...words: string[]) => dig(port, transport, ...words);
      const found = await ask("aPi.shop.TEST", "A");
      assert.equal(found.status, "NOERROR");
      assert.equal(found.question, "aPi.shop.TEST.");
      assert.equal(found.edns, "1232");
      assert.deepEqual(found.answers, ["api.shop.test. 5 IN A 127.0.0.1"]);
      assert.equal(found.overTcp, transport === "+tcp");
      assert.deepEqual((await ask("x.blog.test", "AAAA")).answers, [
        "x.blog.test. 5 IN AAAA ::1",
      ]);
      const https = await ask("api.shop.test", "HTTPS");
      assert.deepEqual([https.status, https.authority], ["NOERROR", ["SOA"]]);
      const none = await ask("no.shop.test", "A");
      assert.deepEqual([none.status, none.authority], ["NXDOMAIN", ["SOA"]]);
      assert.equal((await ask("example.com", "A")).status, "REFUSED");
      const update = await ask("+opcode=update", "shop.test", "SOA");
      assert.deepEqual([update.status, update.opcode], ["NOTIMP", "UPDATE"]);
      assert.equal((await ask("-c", "CH", "version.bind")).status, "REFUSED");
      assert.deepEqual(found.warnings, []);
    }
    const label = "x".repeat(60);
    const long = `${label}.${label}.${label}.${"y".repeat(50)}.blog.test`;
    const cut = await dig(port, "+noedns", long, "ANY", "+notcp", "+ignore");
    assert.deepEqual([cut.status, cut.answers], ["NOERROR", []]);
    const whole = await dig(port, "+noedns", long, "ANY", "+notcp");
    assert.equal(whole.answers.length, 2);
    assert.equal(whole.overTcp, true);
  },
});

Deno.test("TCP carries several questions, and is bounded", async () => {
  await using server = await serve(0, "test", "api.shop.test");
  const { port } = server;
  const first = message({ id: 1 });
  const framed = (bytes: Uint8Array) => [0, bytes.length, ...bytes];
  {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const both = [...framed(first), ...framed(message({ id: 2, type: 28 }))];
    // In two pieces that fit neither message.
    await connection.write(new Uint8Array(both.slice(0, 20)));
    await connection.write(new Uint8Array(both.slice(20)));
    const ids: number[] = [];
    while (ids.length < 2) {
      const head = await readExactly(connection, 2);
      const answer = await readExactly(connection, head[0]! << 8 | head[1]!);
      ids.push(answer[0]! << 8 | answer[1]!);
    }
    assert.deepEqual(ids, [1, 2]);
    await connection.write(new Uint8Array([0xff, 0xff, 0]));
    assert.equal(await endOf(connection), true, "too long a question");
  }
  {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(
      new Uint8Array(framed(message({ flags: 0x8000 }))),
    );
    assert.equal(await endOf(connection), true, "an answer was answered");
  }
  const open: Deno.Conn[] = [];
  try {
    for (let count = 0; count < 64; count++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      open.push(connection);
      await connection.write(new Uint8Array(framed(first)));
      await readExactly(connection, 2);
    }
    using extra = await Deno.connect({ hostname: "127.0.0.1", port });
    assert.equal(await endOf(extra), true, "a 65th connection");
    open.pop()?.close();
    await until(async () => {
      using again = await Deno.connect({ hostname: "127.0.0.1", port });
      await again.write(new Uint8Array(framed(first)));
      return !await endOf(again);
    });
  } finally {
    for (const connection of open) connection.close();
  }
});

Deno.test("a port that is taken is told, and nothing is kept", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await using server = await serve(port, "test");
  assert.deepEqual(server.addresses, []);
  assert.deepEqual(server.problems, [`127.0.0.1:${port} is taken`]);
});

async function readExactly(
  connection: Deno.Conn,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = await connection.read(bytes.subarray(done));
    assert(count !== null, "the server hung up");
    done += count;
  }
  return bytes;
}

/** Whether the server ends the connection instead of sending something. */
async function endOf(connection: Deno.Conn): Promise<boolean> {
  try {
    return await connection.read(new Uint8Array(1)) === null;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return true;
    throw error;
  }
}
