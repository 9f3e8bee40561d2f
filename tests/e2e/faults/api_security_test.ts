/**
 * Who may talk to the daemon: its own user over two sockets, and on the port nobody but who names this machine and is no
 * web page. What a real browser can do is in `hostile_page_test.ts`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { walk } from "../../support/files.ts";
import {
  type HttpAnswer,
  type RawOptions,
  sendRaw,
} from "../../support/raw_http.ts";
import {
  descriptorsOf,
  HAS_PROC,
  memoryOf,
  procFiles,
} from "../../support/processes.ts";
import { type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const MIB = 1024 * 1024;

const WEB = 'name = "safe"\n[tasks.web]\ncommand = "exec sleep 1000"\n';

async function apiPort(taskmux: Taskmux): Promise<number> {
  return (await taskmux.ok<{ api_port: number }>(["daemon", "status"]))
    .api_port;
}

/** A request of these lines, without a body. */
function lines(...text: string[]): string {
  return `${text.join("\r\n")}\r\n\r\n`;
}

/** Statuses that say no, or a connection that was just closed. */
function isRefused({ status }: HttpAnswer): boolean {
  return status === null || [400, 403, 404, 405, 415, 431].includes(status);
}

const HOST = "Host: 127.0.0.1:PORT";

/** Requests that only a hostile page, a rebinding name or a broken program sends. PORT stands for the port. */
const REFUSED: Readonly<Record<string, string>> = {
  "rebound name": lines("GET / HTTP/1.1", "Host: evil.example"),
  "rebound name and port": lines("GET / HTTP/1.1", "Host: evil.example:PORT"),
  "name that begins like ours": lines(
    "GET / HTTP/1.1",
    "Host: localhost.evil.example",
  ),
  "name that ends like ours": lines("GET / HTTP/1.1", "Host: evil.localhost"),
  "upper-case foreign name": lines("GET / HTTP/1.1", "Host: EVIL.EXAMPLE"),
  "trailing dot": lines("GET / HTTP/1.1", "Host: localhost."),
  "user in the name": lines("GET / HTTP/1.1", "Host: localhost@evil.example"),
  "ours as the user": lines("GET / HTTP/1.1", "Host: evil.example@localhost"),
  "number of another machine": lines("GET / HTTP/1.1", "Host: 10.0.0.1:PORT"),
  "all addresses": lines("GET / HTTP/1.1", "Host: 0.0.0.0:PORT"),
  "foreign IPv6": lines("GET / HTTP/1.1", "Host: [2001:db8::1]:PORT"),
  "mapped IPv6": lines("GET / HTTP/1.1", "Host: [::ffff:7f00:1]:PORT"),
  "port that is none": lines("GET / HTTP/1.1", "Host: localhost:evil"),
  "space in the name": lines("GET / HTTP/1.1", "Host: local host"),
  "no host": lines("GET / HTTP/1.1"),
  "no host, old HTTP": lines("GET / HTTP/1.0"),
  "empty host": lines("GET / HTTP/1.1", "Host:"),
  "two hosts": lines("GET / HTTP/1.1", HOST, "Host: evil.example"),
  "two hosts in one": lines("GET / HTTP/1.1", "Host: localhost,evil.example"),
  "absolute target": lines("GET http://evil.example/ HTTP/1.1", HOST),
  "absolute target, ours": lines(
    "GET http://localhost/ HTTP/1.1",
    "Host: evil.example",
  ),
  "tunnel": lines("CONNECT evil.example:80 HTTP/1.1", HOST),
  "star": lines("OPTIONS * HTTP/1.1", HOST),
  "HTTP/2 by knowledge": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "foreign page": lines("GET / HTTP/1.1", HOST, "Origin: http://evil.example"),
  "page of nowhere": lines("GET / HTTP/1.1", HOST, "Origin: null"),
  "empty origin": lines("GET / HTTP/1.1", HOST, "Origin:"),
  "page from a file": lines("GET / HTTP/1.1", HOST, "Origin: file://"),
  "page of an extension": lines(
    "GET / HTTP/1.1",
    HOST,
    "Origin: chrome-extension://abcdefghijklmnop",
  ),
  "page of a name that begins like ours": lines(
    "GET / HTTP/1.1",
    HOST,
    "Origin: http://localhost.evil.example",
  ),
  "page of another local port": lines(
    "GET / HTTP/1.1",
    HOST,
    "Origin: http://localhost:1",
  ),
  "page of a task": lines(
    "GET / HTTP/1.1",
    HOST,
    "Origin: http://web.shop.localhost",
  ),
  "embedded by a page": lines(
    "GET / HTTP/1.1",
    HOST,
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Mode: no-cors",
    "Sec-Fetch-Dest: script",
  ),
  "framed by a page": lines(
    "GET / HTTP/1.1",
    HOST,
    "Sec-Fetch-Site: same-site",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: iframe",
  ),
  "WebSocket of a page": lines(
    "GET / HTTP/1.1",
    HOST,
    "Origin: http://evil.example",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ),
  "simple post of a page": lines(
    "POST / HTTP/1.1",
    HOST,
    "Origin: http://evil.example",
    "Content-Type: text/plain",
    "Content-Length: 2",
  ) + "{}",
  "post of nobody": lines("POST / HTTP/1.1", HOST, "Content-Length: 2") + "{}",
  "preflight": lines(
    "OPTIONS / HTTP/1.1",
    HOST,
    "Origin: http://evil.example",
    "Access-Control-Request-Method: POST",
    "Access-Control-Request-Headers: content-type",
    "Access-Control-Request-Private-Network: true",
  ),
  "garbage": "\x00\xff\x16\x03\x01garbage\r\n\r\n",
  "hello of TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
  "frame of our own sockets": '{"id":1,"op":"daemon.stop","params":{}}\r\n',
  "endless header": `GET / HTTP/1.1\r\n${HOST}\r\nX: ${"a".repeat(2 * MIB)}`,
  "endless line": `GET /${"a".repeat(2 * MIB)}`,
  "many headers": `GET / HTTP/1.1\r\n${"X: y\r\n".repeat(100_000)}`,
};

Deno.test("the port hears who names this machine and is no page", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WEB);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const port = await apiPort(taskmux);
  const send = (text: string, options?: RawOptions): Promise<HttpAnswer> =>
    sendRaw(port, text.replaceAll("PORT", String(port)), options);
  for (const host of ["localhost:PORT", "127.0.0.1", "[::1]:PORT"]) {
    const { status, text } = await send(
      lines("GET / HTTP/1.1", `Host: ${host}`),
    );
    assert.equal(status, 200, host);
    assert.equal(JSON.parse(text).taskmux, "daemon");
  }
  const followed = await send(
    lines(
      "GET / HTTP/1.1",
      HOST,
      "Sec-Fetch-Site: cross-site",
      "Sec-Fetch-Mode: navigate",
      "Sec-Fetch-Dest: document",
    ),
  );
  assert.equal(followed.status, 200, "a link may be followed");
  for (const [what, text] of Object.entries(REFUSED)) {
    const answer = await send(text);
    assert(isRefused(answer), `${what}: ${JSON.stringify(answer)}`);
    const names = [...answer.headers.keys()];
    assert(!names.some((name) => name.startsWith("access-control-")), what);
  }
  const kept = await send(
    lines("GET / HTTP/1.1", HOST) +
      lines("GET http://evil.example/ HTTP/1.1", HOST),
    { until: /^HTTP/ },
  );
  assert.equal(kept.status, 200);
  assert.match(kept.rest, /^HTTP\/1\.1 403 /, "each request is looked at");
  assert.equal(await project.pid("web"), pid);
});

Deno.test("answers of the port are not to be guessed at, framed or kept", async () => {
  await using taskmux = await testTaskmux();
  await taskmux.ok(["daemon", "start"]);
  const port = await apiPort(taskmux);
  const asked: [string, number][] = [["GET /", 200], ["GET /x", 404], [
    "PUT /",
    405,
  ]];
  for (const [request, expected] of asked) {
    const { status, headers } = await sendRaw(
      port,
      lines(`${request} HTTP/1.1`, "Host: localhost"),
    );
    assert.equal(status, expected);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
    assert.match(
      headers.get("content-security-policy") ?? "",
      /default-src 'none'.*frame-ancestors 'none'/,
    );
  }
});

Deno.test({
  name: "the port is open on both addresses of loopback and nowhere else",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    await taskmux.ok(["daemon", "start"]);
    const port = await apiPort(taskmux);
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    const listening = ["tcp", "tcp6"].flatMap((table) =>
      (procFiles().text(`/proc/net/${table}`) ?? "").split("\n")
    ).map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) =>
        state === "0A" && local?.endsWith(`:${hex}`)
      );
    assert.deepEqual(listening.map(([, local]) => local), [
      `0100007F:${hex}`,
      `${"0".repeat(24)}01000000:${hex}`,
    ]);
  },
});

// Deno.serve kept every connection for ever, and ended the daemon when it could not accept one more.
Deno.test("a thousand connections that say little cost the daemon little, and its own user nothing", async () => {
  await using taskmux = await testTaskmux({
    // Of which the port has 256 connections, of three each.
    launcher: ["/bin/sh", "-c", 'ulimit -n 4096 && exec "$@"', "sh"],
  });
  const project = await taskmux.project(WEB);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  const port = await apiPort(taskmux);
  const before = HAS_PROC ? memoryOf(daemon) : 0;
  const openBefore = HAS_PROC ? descriptorsOf(daemon).length : 0;
  using peers = new DisposableStack();
  const words = [
    "",
    "GET / HTT",
    "GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
    lines("GET / HTTP/1.1", "Host: localhost"),
    lines("GET / HTTP/1.1", "Host: localhost").repeat(500),
  ].map((text) => new TextEncoder().encode(text));
  for (let n = 0; n < 1_000; n++) {
    const peer = peers.use(
      await Deno.connect({ hostname: "127.0.0.1", port }),
    );
    const word = words[n % words.length]!;
    await say(peer, word);
  }
  for (let n = 0; n < 5; n++) await project.ok(["status"]);
  await project.ok(["restart", "web"]);
  if (HAS_PROC) {
    const open = descriptorsOf(daemon).length - openBefore;
    // Three for each.
    assert(open <= 3_050, `${open} descriptors`);
    const grown = (memoryOf(daemon) - before) / MIB;
    assert(grown < 150, `grew by ${grown.toFixed(0)} MiB`);
  }
  peers.dispose();
  await until(async () => {
    const answer = await sendRaw(
      port,
      lines("GET / HTTP/1.1", "Host: localhost"),
    );
    return answer.status === 200;
  }, { what: "the port answers again" });
  assert.equal(await taskmux.daemonPid(), daemon);
  assert.notEqual(await project.pid("web"), pid, "it was restarted");
});

Deno.test("the port answers again after its socket was removed", async () => {
  await using taskmux = await testTaskmux();
  await taskmux.ok(["daemon", "start"]);
  const port = await apiPort(taskmux);
  const { httpSocket } = taskmux.home.paths;
  await Deno.remove(httpSocket);
  await until(async () => {
    const request = lines("GET / HTTP/1.1", "Host: localhost");
    return (await sendRaw(port, request)).status === 200;
  }, { what: "the port answers again" });
  assert.equal((Deno.lstatSync(httpSocket).mode ?? 0) & 0o777, 0o600);
});

/** A connection too many is closed at once, perhaps while we speak. */
async function say(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    if (bytes.length > 0) await conn.write(bytes);
  } catch (error) {
    const isGone = error instanceof Deno.errors.BrokenPipe ||
      error instanceof Deno.errors.ConnectionReset;
    if (!isGone) throw error;
  }
}

/** What a peer of a Unix socket is told, until it is hung up on. */
async function told(path: string, words: string): Promise<string> {
  using conn = await Deno.connect({ transport: "unix", path });
  await conn.write(new TextEncoder().encode(words));
  let text = "";
  const chunk = new Uint8Array(64 * 1024);
  while (true) {
    const count = await conn.read(chunk).catch(() => null);
    if (count === null) return text;
    text += new TextDecoder().decode(chunk.subarray(0, count));
  }
}

Deno.test("who speaks HTTP to the sockets is greeted and hung up on, whatever the body says", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WEB);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const { daemonSocket, keeperSocket } = taskmux.home.paths;
  const stop = JSON.stringify({
    id: 1,
    op: "task.stop",
    params: { scope: { config: project.config } },
  });
  const shutdown = '{"id":1,"op":"shutdown","params":{}}';
  for (const path of [daemonSocket, keeperSocket]) {
    for (const body of [stop, shutdown]) {
      for (
        const words of [
          `POST / HTTP/1.1\r\nHost: localhost\r\n\r\n${body}\n`,
          `POST /\n${body}\n`,
          `GET /?x HTTP/1.1\r\n\r\n${body}\n${body}\n`,
          `[]\n${body}\n`,
          `[${body}]\n${body}\n`,
          `null\n${body}\n`,
          `"${"x".repeat(10)}"\n${body}\n`,
          `1\n${body}\n`,
          `{"id":"1","op":"task.stop"}\n${body}\n`,
        ]
      ) {
        const answer = await told(path, words);
        const frames = answer.trimEnd().split("\n");
        assert.equal(frames.length, 1, `${words} is answered: ${answer}`);
        assert.match(answer, /"taskmux":"(?:daemon|keeper)"/);
      }
    }
  }
  assert.equal(await project.pid("web"), pid);
});

Deno.test("no value of an environment is written down or shown in the process table", async () => {
  const canary = `canary-${crypto.randomUUID()}`;
  await using taskmux = await testTaskmux({
    env: { SHELL_SECRET: `${canary}-shell` },
  });
  const project = await taskmux.project(`
name = "secret"
env = { PROJECT_SECRET = "${canary}-project" }
[tasks.web]
command = '''echo "$SHELL_SECRET $PROJECT_SECRET $TASK_SECRET $FILE_SECRET" > seen; exec sleep 1000'''
env = { TASK_SECRET = "${canary}-task" }
env_file = ".env"
health_url = "http://127.0.0.1:$PORT/?token=$TASK_SECRET"
health_interval = 0.1
health_retries = 1
boot_grace = 0.1
restart_policy = "no"
[tasks.web.hooks]
before_start = "test -n \\"$TASK_SECRET\\""
[tasks.bad]
command = "exit 3"
health_check = "test -n $SHELL_SECRET && exit 1"
env_file = ".env"
[tasks.hooked]
command = "true"
auto_start = false
[tasks.hooked.hooks]
before_start = "exit 7"
`);
  await project.file(".env", `FILE_SECRET=${canary}-file\n`);
  await project.run(["start"]);
  await project.run(["start", "hooked"]);
  await project.run(["run", "--name", "adhoc", "--", "true"]);
  await project.whenEvent("health_check_failed", "web");
  const seen = await until(async () => await project.read("seen"));
  for (const which of ["shell", "project", "task", "file"]) {
    assert(seen.includes(`${canary}-${which}`), `the task has ${which}`);
  }
  const { stdout } = await new Deno.Command("ps", {
    args: ["axww", "-o", "args="],
  }).output();
  assert(!new TextDecoder().decode(stdout).includes(canary), "ps shows it");
  await taskmux.ok(["daemon", "restart"]);
  const inHome = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const path of walk(taskmux.home.home)) {
      const info = await Deno.lstat(path);
      if (!info.isFile) continue;
      const bytes = new TextDecoder("latin1").decode(await Deno.readFile(path));
      if (bytes.includes(canary)) found.push(path);
    }
    return found;
  };
  assert.deepEqual(await inHome(), []);
  const events = JSON.stringify(await project.events());
  assert(!events.includes(canary), "events tell it");
  await taskmux.ok(["daemon", "stop"]);
  assert.deepEqual(await inHome(), []);
});
