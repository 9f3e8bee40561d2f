import assert from "node:assert/strict";
import { Output, type Sink } from "../../../src/cli/output.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

interface Captured extends Sink {
  text: string;
}

/** Takes a few bytes at a time, as a pipe may. */
function sink(isTerminal = false): Captured {
  const decoder = new TextDecoder();
  return {
    text: "",
    isTerminal: () => isTerminal,
    write(bytes) {
      const taken = bytes.subarray(0, 7);
      this.text += decoder.decode(taken, { stream: true });
      return Promise.resolve(taken.length);
    },
  };
}

function outputTo(
  { json = false, stdout = sink(), stderr = sink(), noColor = false }: {
    json?: boolean;
    stdout?: Captured;
    stderr?: Captured;
    noColor?: boolean;
  },
): { output: Output; stdout: Captured; stderr: Captured } {
  const terminalSize = () => ({ width: 100, height: 30 });
  const output = new Output({ json, stdout, stderr, noColor, terminalSize });
  return { output, stdout, stderr };
}

const ERROR = new TaskmuxError("E200", "Task 'ghost' not found in config", {
  hint: "taskmux status",
  details: { task: "ghost" },
});

Deno.test("Output answers with one JSON value, or with lines", async () => {
  const answer = { ok: true, text: "grüße\n" };
  const json = outputTo({ json: true });
  await json.output.answer(answer, () => assert.fail());
  assert.equal(json.stdout.text, '{"ok":true,"text":"grüße\\n"}\n');
  const human = outputTo({});
  await human.output.answer(answer, () => ["a", "b"]);
  assert.equal(human.stdout.text, "a\nb\n");
});

Deno.test("Output prints an error in its one shape on stdout in JSON mode", async () => {
  const { output, stdout, stderr } = outputTo({ json: true });
  await output.error(ERROR);
  await output.notes(["for people"]);
  assert.deepEqual(JSON.parse(stdout.text), {
    ok: false,
    error_code: "E200",
    error: "Task 'ghost' not found in config",
    hint: "taskmux status",
    details: { task: "ghost" },
  });
  assert.equal(stderr.text, "");
});

Deno.test("Output prints an error for people on stderr", async () => {
  const { output, stdout, stderr } = outputTo({});
  await output.error(ERROR);
  assert.equal(stdout.text, "");
  assert.equal(
    stderr.text,
    "Error [E200]: Task 'ghost' not found in config\nhint: taskmux status\n",
  );
});

Deno.test("Output has colours and a width on a terminal only", () => {
  const piped = outputTo({}).output;
  assert.equal(piped.paint("red", "x"), "x");
  assert.equal(piped.width, Infinity);
  const terminal = outputTo({ stdout: sink(true) }).output;
  assert.equal(terminal.paint("red", "x"), "\x1b[31mx\x1b[0m");
  assert.equal(terminal.width, 100);
  assert.equal(terminal.paintError("red", "x"), "x");
  const plain = outputTo({ stdout: sink(true), noColor: true }).output;
  assert.equal(plain.paint("red", "x"), "x");
  const json = outputTo({ stdout: sink(true), json: true }).output;
  assert.equal(json.isTerminal, false);
});

Deno.test("Output draws progress on a terminal only, never in JSON mode", () => {
  const stderr = sink(true);
  assert.equal(outputTo({ stderr }).output.isLive, true);
  assert.equal(outputTo({ stderr, json: true }).output.isLive, false);
  assert.equal(outputTo({}).output.isLive, false);
});

Deno.test("Output forgives a reader that has gone", async () => {
  const stdout = sink();
  stdout.write = () => Promise.reject(new Deno.errors.BrokenPipe("gone"));
  const { output } = outputTo({ stdout });
  assert.equal(output.isClosed, false);
  await output.lines(["a"]);
  assert.equal(output.isClosed, true);
  await output.lines(["b"]);
});

Deno.test("Output takes the terminal of an agent for a pipe", () => {
  const options = {
    json: false,
    stdout: sink(true),
    stderr: sink(true),
    stdin: { isTerminal: () => true },
    noColor: false,
    terminalSize: () => ({ width: 100, height: 30 }),
  };
  const person = new Output(options);
  assert.deepEqual(
    [person.isTerminal, person.isLive, person.canAsk, person.width],
    [true, true, true, 100],
  );
  const agent = new Output({ ...options, agent: "codex" });
  assert.deepEqual(
    [agent.isTerminal, agent.isLive, agent.canAsk, agent.width],
    [false, false, false, Infinity],
  );
  assert.equal(agent.paintError("red", "x"), "x");
  const dumb = new Output({ ...options, isDumb: true });
  assert.deepEqual([dumb.isLive, dumb.canAsk], [false, false]);
  assert.equal(dumb.paint("red", "x"), "x");
  assert.equal(new Output({ ...options, json: true }).canAsk, false);
  assert.equal(
    new Output({ ...options, stdin: { isTerminal: () => false } }).canAsk,
    false,
  );
});
