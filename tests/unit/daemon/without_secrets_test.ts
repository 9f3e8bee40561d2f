import assert from "node:assert/strict";
import { SHOWN } from "../../../src/cli/daemon_access.ts";
import { contract } from "../../../src/contract/mod.ts";
import type { Progress } from "../../../src/contract/wire.ts";
import type { Caller, Dispatcher } from "../../../src/daemon/dispatcher.ts";
import { withoutSecrets } from "../../../src/daemon/without_secrets.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { Redactor } from "../../../src/domain/redactor.ts";
import type { JsonObject } from "../../../src/kit/json.ts";

const SECRET = "hunter2-value";

/** A daemon that answers with the secret, and one place that learns it only with the first answer. */
function talker(): Dispatcher {
  const inner: Dispatcher = {
    kindOf: () => "call",
    call(name, params, { onProgress }): Promise<JsonObject> {
      onProgress({ task: SECRET, state: "running", message: `is ${SECRET}` });
      if (name === "task.start" || name === "tunnel.up") {
        throw new TaskmuxError("E400", `hook said ${SECRET}`, {
          hint: `run ${SECRET}`,
          details: { output_tail: `a\n${SECRET}`, task: SECRET },
        });
      }
      return Promise.resolve({
        ok: true,
        said: SECRET,
        params: params as null,
      });
    },
    async *stream(name) {
      yield await Promise.resolve({ ts: "t", task: "web", text: SECRET });
      if (name === "event.follow") throw new TaskmuxError("E500", SECRET);
    },
  };
  return withoutSecrets(inner, {
    redactorFor(scope) {
      return Promise.resolve(new Redactor(scope === null ? [] : [SECRET]));
    },
  });
}

function caller(reveal: boolean, told: Progress[] = []): Caller {
  const { signal } = new AbortController();
  return {
    caller: null,
    reveal,
    signal,
    lifetime: signal,
    onProgress: (progress) => told.push(progress),
    onNews: () => {},
  };
}

const SCOPE = { scope: { config: "/p/taskmux.toml" } };

Deno.test("an answer, its progress and its error hold no secret", async () => {
  const told: Progress[] = [];
  const dispatcher = talker();
  const answer = await dispatcher.call(
    "task.status",
    SCOPE,
    caller(false, told),
  );
  assert.equal(answer["said"], "***");
  assert.deepEqual(told, [
    { task: SECRET, state: "running", message: "is ***" },
  ]);
  await assert.rejects(
    dispatcher.call("task.start", SCOPE, caller(false)),
    (error) => {
      assert(error instanceof TaskmuxError);
      assert.deepEqual(error.toShape(), {
        ok: false,
        error_code: "E400",
        error: "hook said ***",
        hint: "run ***",
        details: { output_tail: "a\n***", task: SECRET },
      });
      return true;
    },
  );
});

Deno.test("items and the error at the end of a stream hold no secret", async () => {
  const items: JsonObject[] = [];
  await assert.rejects(
    async () => {
      const stream = talker().stream("event.follow", SCOPE, caller(false));
      for await (const item of stream) items.push(item);
    },
    { code: "E500", message: "***" },
  );
  assert.deepEqual(items, [{ ts: "t", task: "web", text: "***" }]);
});

Deno.test("a caller that wants to see secrets does", async () => {
  const dispatcher = talker();
  const answer = await dispatcher.call("task.status", SCOPE, caller(true));
  assert.equal(answer["said"], SECRET);
  await assert.rejects(dispatcher.call("task.start", SCOPE, caller(true)), {
    message: `hook said ${SECRET}`,
  });
  for await (
    const item of dispatcher.stream("log.follow", SCOPE, caller(true))
  ) {
    assert.equal(item["text"], SECRET);
  }
});

Deno.test("the project of a question decides, and a broken question is about any", async () => {
  const dispatcher = talker();
  for (
    const params of [null, 1, {}, { scope: null }, { scope: { config: 1 } }]
  ) {
    const answer = await dispatcher.call("task.status", params, caller(false));
    assert.equal(answer["said"], SECRET, JSON.stringify(params));
  }
  const session = { scope: { session: "shop" } };
  const answer = await dispatcher.call("task.status", session, caller(false));
  assert.equal(answer["said"], "***");
});

Deno.test("what the contract excepts is given as it is, with and without a daemon", async () => {
  const answer = await talker().call("project.env", SCOPE, caller(false));
  assert.equal(answer["said"], SECRET);
  // An error is no answer.
  await assert.rejects(
    talker().call("tunnel.up", SCOPE, caller(false)),
    (error) => {
      assert(error instanceof TaskmuxError);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    },
  );
  const excepted = Object.entries(contract).filter(([, spec]) =>
    spec.redacted === false && spec.kind === "call"
  ).map(([name]) => name);
  assert.deepEqual(excepted, SHOWN);
});
