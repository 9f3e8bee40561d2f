/**
 * A client of `taskmux mcp serve`: lines in, lines out, as a real one has it.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CliOptions } from "./cli.ts";
import type { Json, Message, ToolAnswer } from "./mcp_client.ts";
import type { Taskmux } from "./taskmux.ts";
import { until } from "./until.ts";

/** A server that runs, and its client. Disposal closes its input and waits for its end. */
export class McpStdio implements AsyncDisposable {
  /** All that came, in order. */
  readonly heard: Message[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  #stderr = "";
  #lastId = 0;
  #isOver = false;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#reading = Promise.all([this.#read(), this.#readErrors()]);
  }

  /** Starts a server in a folder, with more words on its command line. */
  static spawn(
    taskmux: Taskmux,
    words: readonly string[],
    options: CliOptions,
  ): McpStdio {
    const child = taskmux.spawn(["mcp", "serve", ...words], {
      ...options,
      stdin: "piped",
    });
    return new McpStdio(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it said to people. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Types of events that it was told. */
  get events(): unknown[] {
    return this.heard.filter(({ method }) => method === "notifications/message")
      .map(({ params }) => (params?.["data"] as Json)["event"]);
  }

  /** Sends a line. */
  async line(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${text}\n`));
  }

  /** Sends a message. */
  async send(message: Json): Promise<void> {
    await this.line(JSON.stringify({ jsonrpc: "2.0", ...message }));
  }

  /** Sends a request. @returns The number under which its answer comes. */
  async begin(method: string, params: Json = {}): Promise<number> {
    const id = ++this.#lastId;
    await this.send({ id, method, params });
    return id;
  }

  async answerTo(id: number): Promise<Message> {
    return await until(
      () => this.heard.find((message) => message.id === id),
      { what: `answer ${id}: ${this.#stderr}` },
    );
  }

  /** Asks. */
  async ask(method: string, params: Json = {}): Promise<Message> {
    return await this.answerTo(await this.begin(method, params));
  }

  /** Says who it is. */
  async initialize(): Promise<void> {
    const { result } = await this.ask("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "test-stdio", version: "1" },
    });
    assert.equal(result?.["protocolVersion"], "2025-11-25");
    await this.send({ method: "notifications/initialized" });
  }

  /** Calls a tool, whatever comes of it. */
  async tool(name: string, args: Json = {}): Promise<ToolAnswer> {
    const params = { name: `taskmux_${name}`, arguments: args };
    const { result, error } = await this.ask("tools/call", params);
    assert.equal(error, undefined, JSON.stringify(error));
    return result as unknown as ToolAnswer;
  }

  /** Calls a tool, which must succeed. @returns Its structured content. */
  async ok(name: string, args: Json = {}): Promise<Json> {
    const answer = await this.tool(name, args);
    assert.notEqual(answer.isError, true, JSON.stringify(answer));
    return answer.structuredContent ?? {};
  }

  async read(uri: string): Promise<string> {
    const { result, error } = await this.ask("resources/read", { uri });
    assert.equal(error, undefined, JSON.stringify(error));
    const { contents } = result as { contents: { text: string }[] };
    return contents[0]!.text;
  }

  /** Ends it. @returns How it ended; nothing but messages was on its output. */
  async end(how: "input" | Deno.Signal): Promise<Deno.CommandStatus> {
    this.#isOver = true;
    if (how !== "input") {
      this.#child.kill(how);
      // By the signal alone.
      await this.#child.status;
    }
    try {
      await this.#input.close();
    } catch (error) {
      // It has ended before.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    await this.#reading;
    return await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) await this.end("input");
  }

  async #read(): Promise<void> {
    let rest = "";
    const { stdout } = this.#child;
    for await (const text of stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.heard.push(...lines.map((line) => JSON.parse(line)));
    }
    assert.equal(rest, "");
  }

  async #readErrors(): Promise<void> {
    const { stderr } = this.#child;
    for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
    }
  }
}
