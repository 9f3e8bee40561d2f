/**
 * Plain requests pass without `node:http`, all others through it: a client must not see which.
 *
 * Random answers of a task, torn at random places, are asked for over both ways. Spaces behind the size of a chunk, and
 * bytes behind an answer, are not among them: `node:http` breaks such answers off.
 */

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { inLaterTurn } from "../../src/kit/turn.ts";
import { proxiedSockets, TASK_NAME } from "../support/proxied_task.ts";
import { randomFrom } from "../support/random.ts";
import type { Wire } from "../support/wire.ts";
import { fieldOf, readAnswer } from "../support/raw_answer.ts";

/** Answers that are compared; more of them, and others, by hand. */
const CASES = 80;

const SEED = 3;

/** What a task says, in pieces, and whether it closes then. */
interface Said {
  readonly method: string;
  readonly pieces: readonly string[];
  readonly closes: boolean;
}

type Random = () => number;

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

const LINES = [
  "200 OK",
  "200 OK",
  "200",
  "201 ",
  "204 No Content",
  "304 Not Modified",
  "404 N\xe9ant",
  "500 a  b",
  "599 x",
  "205 Reset",
  "302 Found",
];

const FIELDS = [
  "Set-Cookie: a=1",
  "Set-Cookie: b=2",
  "X-A:  v\t ",
  "x-a: \xff\xfe",
  "X-Empty:",
  "Content-Type: text/html",
  'ETag: "x"',
  "Connection: X-Hop, keep-alive",
  "X-Hop: 1",
  "Connection: close",
  "Keep-Alive: timeout=5",
  "Keep-Alive: timeout=1",
  "Date: x",
  "Trailer: X-T",
  "Vary: *",
  "Upgrade: h2c",
  "Proxy-Connection: keep-alive",
  "TE: x",
  "Via: 1.1 a",
  "Connection: content-length",
  "Content-Encoding: gzip",
];

const INTERIM = [
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 x\r\nLink: </a>; rel=preload\r\n\r\n",
  "HTTP/1.1 102 x\r\n\r\n",
  "HTTP/1.1 103 x\r\nLink: bad\r\n\r\n",
  "HTTP/1.1 199 x\r\n\r\n",
  "HTTP/1.1 103 x\r\nLink: </a>; rel=preload\r\nX-B: c\r\n\r\n",
];

const SPOILT: readonly ((text: string) => string)[] = [
  (text) => text.replace("\r\n", "\n"),
  (text) => text.replace("\r\nX", "\r\n X"),
  (text) => text.replace(": ", " : "),
  (text) =>
    /^HTTP\/1.1 1/.test(text) ? text : text.replace("HTTP/1.1", "HTTP/1.0"),
  (text) => text.replace("HTTP/1.1", "HTTP/2.0"),
  (text) => text.replace("HTTP/1.1", "ICY"),
  (text) => text.slice(0, -3),
  (text) => text.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"),
  (text) => text.replace("\r\n\r\n", "\r\nContent-Length: 90000\r\n\r\n"),
  (text) => text.replace("\r\n\r\n", "\r\nContent-Length: +3\r\n\r\n"),
  (text) =>
    text.replace("\r\n\r\n", "\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
  (text) => text.replace("\r\n\r\n", "\r\nA\x00b: c\r\n\r\n"),
  (text) => text.replace("\r\n\r\n", "\r\nA: c\x01\r\n\r\n"),
  (text) => text.slice(0, Math.floor(text.length / 2)),
  () => "",
];

function bodyOf(
  random: Random,
): {
  readonly fields: string[];
  readonly text: string;
  readonly closes: boolean;
} {
  const size = pick(random, [0, 1, 5, 100, 5_000, 70_000]);
  const text = "abcdefghij".repeat(Math.ceil(size / 10)).slice(0, size);
  const kind = random();
  if (kind < 0.4) {
    return { fields: [`Content-Length: ${size}`], text, closes: false };
  }
  if (kind < 0.55) return { fields: [], text, closes: true };
  let chunks = "";
  for (let at = 0; at < size;) {
    const length = Math.min(size - at, 1 + Math.floor(random() * size / 3));
    const extension = pick(random, ["", "", ";a=b", ';x="y"']);
    const digits = pick(random, [
      length.toString(16),
      length.toString(16).toUpperCase(),
      `00${length.toString(16)}`,
    ]);
    chunks += `${digits}${extension}\r\n${text.slice(at, at + length)}\r\n`;
    at += length;
  }
  const trailers = pick(random, [
    "",
    "",
    "X-T: 1\r\n",
    "X-T: 1\r\nConnection: x\r\nX-U:\r\n",
  ]);
  return {
    fields: [
      pick(random, [
        "Transfer-Encoding: chunked",
        "transfer-encoding: Chunked",
      ]),
    ],
    text: `${chunks}0\r\n${trailers}\r\n`,
    closes: false,
  };
}

function randomAnswer(random: Random): Said {
  const { fields, text, closes } = bodyOf(random);
  const method = pick(random, ["GET", "GET", "GET", "HEAD", "OPTIONS"]);
  const all = [...fields];
  while (random() < 0.6) {
    all.splice(
      Math.floor(random() * (all.length + 1)),
      0,
      pick(random, FIELDS),
    );
  }
  const status = pick(random, LINES);
  const isBodiless = method === "HEAD" || /^(204|304)/.test(status);
  const body = isBodiless && random() < 0.9 ? "" : text;
  let said = `HTTP/1.1 ${status}\r\n${
    all.map((field) => `${field}\r\n`).join("")
  }\r\n${body}`;
  const isLatin = !/[\x80-\xff]/.test(said);
  while (isLatin && random() < 0.2) said = pick(random, INTERIM) + said;
  const isSpoilt = random() < 0.25;
  if (isSpoilt) said = pick(random, SPOILT)(said);
  return {
    method,
    pieces: torn(random, said),
    closes: closes || isSpoilt || random() < 0.15,
  };
}

function torn(random: Random, text: string): string[] {
  const pieces: string[] = [];
  let rest = text;
  for (
    let left = Math.floor(random() * 6);
    left > 0 && rest.length > 1;
    left--
  ) {
    const at = 1 +
      Math.floor(
        random() * Math.min(rest.length - 1, pick(random, [3, 60, 1_000_000])),
      );
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
  return [...pieces, rest];
}

/** What a client sees of an exchange. */
interface Seen {
  /** Words in between; how often is left open, as a request may be repeated. */
  readonly interim: ReadonlySet<string>;
  readonly line: string;
  readonly fields: readonly string[];
  readonly body: string;
}

/** Fields that are those of one connection. */
const OWN_FIELDS = /^(?:connection|keep-alive|transfer-encoding):/i;

/** Null = it was not whole. */
async function see(wire: Wire, method: string): Promise<Seen | null> {
  try {
    const interim = new Set<string>();
    let answer = await readAnswer(wire, method);
    while (/^HTTP\/1\.1 1/.test(answer.line)) {
      interim.add(
        answer.line.slice(0, 12) + answer.fields.join().toLowerCase(),
      );
      answer = await readAnswer(wire, method);
    }
    const { line, fields, body, trailers } = answer;
    // What is refused is told in the words of whoever read it.
    if (line.includes(" 502 ")) return { interim, line, fields: [], body: "" };
    const length = fieldOf(fields, "content-length");
    const isWhole = body === "" || length === null ||
      Number(length) === body.length;
    if (!isWhole) return null;
    return {
      interim,
      line: line.trimEnd(),
      fields: fields.filter((field) => !OWN_FIELDS.test(field)),
      body: [body, ...trailers].join("\n"),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return null;
  }
}

/** A server that says what it is told to, by the number in the path. */
function answering(
  answers: ReadonlyMap<string, Said>,
  onHead: (head: string) => void,
): (socket: Socket) => void {
  return (socket) => {
    let text = "";
    socket.on("data", (bytes: Uint8Array) => {
      text += new TextDecoder("latin1").decode(bytes);
      if (!/\r\n\r\nx?$/.test(text)) return;
      if (text.startsWith("POST")) {
        if (text.endsWith("x")) {
          socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        return;
      }
      onHead(text);
      const [, id = ""] = /case=(\w+)/.exec(text) ?? [];
      text = "";
      void say(socket, answers.get(id));
    });
  };
}

async function say(socket: Socket, said: Said | undefined): Promise<void> {
  for (const piece of said?.pieces ?? []) {
    if (socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.write(piece, "latin1", () => resolve());
    await promise;
    // Each by itself, mostly.
    await new Promise<void>((taken) => inLaterTurn(taken));
  }
  if (said?.closes) socket.end();
}

function get(id: number | string, method = "GET"): string {
  return `${method} /?case=${id} HTTP/1.1\r\nHost: ${TASK_NAME}\r\nX-Q: \xe9\r\nCookie: a=b\r\n\r\n`;
}

Deno.test("plain requests are answered as all others", async () => {
  const random = randomFrom(SEED);
  const answers = new Map<string, Said>([["next", {
    method: "GET",
    pieces: ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"],
    closes: false,
  }]]);
  let heads: string[] = [];
  await using task = await proxiedSockets(
    answering(answers, (head) => heads.push(head)),
  );
  const exchange = async (
    { id, method, isPlain }: {
      readonly id: number;
      readonly method: string;
      readonly isPlain: boolean;
    },
  ): Promise<unknown> => {
    using wire = await task.proxy.connect(TASK_NAME);
    if (!isPlain) {
      await wire.write(
        `POST / HTTP/1.1\r\nHost: ${TASK_NAME}\r\nContent-Length: 1\r\n\r\nx`,
      );
      assert.notEqual(await see(wire, "POST"), null);
    }
    heads = [];
    await wire.write(get(id, method));
    const seen = await see(wire, method);
    const [head] = heads;
    if (seen === null) return { head, seen };
    // What comes next is the answer to the next request, and nothing else.
    await wire.write(get("next"));
    return { head, seen, next: await see(wire, "GET") };
  };
  for (let id = 0; id < CASES; id++) {
    const said = randomAnswer(random);
    const { method } = said;
    answers.set(String(id), said);
    assert.deepEqual(
      await exchange({ id, method, isPlain: true }),
      await exchange({ id, method, isPlain: false }),
      `case ${id}: ${JSON.stringify(said)}`,
    );
  }
});

Deno.test("what a task says beyond an answer is the answer to nothing", async () => {
  const heads = ["Content-Length: 0", "Transfer-Encoding: chunked"];
  const rests = ["more", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"];
  const answers = new Map<string, Said>();
  await using task = await proxiedSockets(answering(answers, () => {}));
  using wire = await task.proxy.connect(TASK_NAME);
  const ask = async (said: Said): Promise<Seen | null> => {
    answers.set("0", said);
    await wire.write(get(0, said.method));
    return await see(wire, said.method);
  };
  for (const status of ["200 OK", "204 No Content", "304 Not Modified"]) {
    for (const method of ["GET", "HEAD"]) {
      for (const [index, field] of heads.entries()) {
        for (const rest of rests) {
          const isBare = status !== "200 OK" || method === "HEAD";
          const body = index === 1 && !isBare ? "0\r\n\r\n" : "";
          const piece = `HTTP/1.1 ${status}\r\n${field}\r\n\r\n${body}${rest}`;
          const seen = await ask({ method, pieces: [piece], closes: false });
          assert.equal(seen?.line, `HTTP/1.1 ${status}`);
          const next = `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext`;
          const { body: told } =
            await ask({ method: "GET", pieces: [next], closes: false }) ?? {};
          assert.equal(told, "next", piece);
        }
      }
    }
  }
});
