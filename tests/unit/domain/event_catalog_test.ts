import assert from "node:assert/strict";
import {
  EVENT_CATALOG,
  isEventType,
  severityOf,
  typesFrom,
} from "../../../src/domain/event_catalog.ts";
import {
  isSelected,
  selectedTypes,
  toRecord,
} from "../../../src/domain/event_selection.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { EXAMPLES } from "../../../tools/event_page.ts";
import { undocumented } from "../../support/documented_events.ts";

Deno.test("the catalog takes no key that every event has", () => {
  const common = ["seq", "ts", "event", "severity", "session", "task"];
  for (const { facts } of Object.values(EVENT_CATALOG)) {
    assert.deepEqual(common.filter((key) => key in facts), []);
  }
});

Deno.test("the page has one example of each type, as documented", () => {
  assert.deepEqual(
    EXAMPLES.map(({ event }) => event).sort(),
    Object.keys(EVENT_CATALOG).sort(),
  );
  assert.deepEqual(EXAMPLES.flatMap(undocumented), []);
});

Deno.test("what is not documented is found", () => {
  const [started] = EXAMPLES.filter(({ event }) => event === "task_started");
  const problems = (changes: object): string[] =>
    undocumented({ ...started, ...changes });
  assert.deepEqual(problems({}), []);
  assert.match(
    problems({ colour: "red" }).join(),
    /"colour" is not documented/,
  );
  assert.match(problems({ pid: "12" }).join(), /"pid" is no integer/);
  assert.match(problems({ session: null }).join(), /session/);
  const { pid: _pid, ...without } = started!;
  assert.match(undocumented(without).join(), /"pid" is missing/);
});

Deno.test("a level means that severity and worse", () => {
  assert.deepEqual(typesFrom("info"), Object.keys(EVENT_CATALOG));
  const [errors, warnings] = [typesFrom("error"), typesFrom("warning")];
  assert(errors.every((type) => severityOf(type) === "error"));
  assert(errors.every((type) => warnings.includes(type)));
  assert(warnings.includes("auto_restart") && !errors.includes("auto_restart"));
  assert.equal(severityOf("of_another_version"), "info");
  assert.equal(isEventType("toString"), false);
});

Deno.test("selectedTypes() joins names and level, and refuses what selects nothing", () => {
  assert.deepEqual(selectedTypes([], null), []);
  assert.deepEqual(selectedTypes(["task_exited"], null), ["task_exited"]);
  assert.deepEqual(
    selectedTypes(["task_exited", "task_failed"], "error"),
    ["task_failed"],
  );
  const refusal = (names: string[], level: "error" | null): TaskmuxError => {
    try {
      selectedTypes(names, level);
    } catch (error) {
      assert(error instanceof TaskmuxError);
      return error;
    }
    assert.fail("it was taken");
  };
  assert.equal(
    refusal(["task_exit"], null).hint,
    'did you mean "task_exited"?',
  );
  assert.equal(refusal(["task_exited"], "error").code, "E500");
});

Deno.test("isSelected() takes what befalls every project with each of them", () => {
  const base = { event: "task_exited", session: "shop", task: "web" } as const;
  const own = { event: "keeper_lost", session: null } as const;
  assert(isSelected(base, {}) && isSelected(own, {}));
  assert(isSelected(base, { session: "shop", tasks: ["api", "web"] }));
  assert(isSelected(own, { session: "shop" }));
  assert(!isSelected(base, { session: "blog" }));
  assert(!isSelected(own, { session: "shop", tasks: ["web"] }));
  assert(!isSelected(base, { types: ["task_started"] }));
  assert(!isSelected(base, { tasks: ["api"] }));
});

Deno.test("toRecord() puts the severity after the type", () => {
  const event = { seq: 1, ts: "T", event: "log_error", session: "s" } as const;
  assert.equal(
    JSON.stringify(toRecord(event)),
    '{"seq":1,"ts":"T","event":"log_error","severity":"error","session":"s"}',
  );
});
