import assert from "node:assert/strict";
import { parse } from "smol-toml";
import {
  addTask,
  removeTask,
  removeValue,
  setValue,
} from "../../../src/config/edit_toml.ts";
import type { TomlValue } from "../../../src/config/toml_value.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

type Fields = Readonly<Record<string, TomlValue>>;

const SHOP = `#:schema https://example.com/schema.json
# The shop.

name = "shop"   # spaces kept

[hooks]
after_stop = "true"

# The interface.
[tasks.api]
command = "run"   # trailing
# port = 3000  (an idea)

# --- data ---

# The database,
# in two lines.
[tasks.db]
command = """
# no comment
"""
  [tasks.db.hooks]
  before_start = "x"
# The site.
[tasks.web]
command = 'w'
depends_on = [
  "api", # first
  "db",
]


[worktree]
enabled = false
`;

/** A text of one line says nothing about its line breaks. */
function lineBreaks(text: string): string[] {
  return text.includes("\n") ? ["\n", "\r\n"] : ["\n"];
}

function checkAdd(
  text: string,
  [name, fields]: readonly [string, Fields],
  expected: string,
): void {
  for (const eol of lineBreaks(text)) {
    assert.equal(
      addTask(text.replaceAll("\n", eol), name, fields),
      expected.replaceAll("\n", eol),
    );
  }
}

function checkRemove(text: string, name: string, expected: string): void {
  for (const eol of lineBreaks(text)) {
    assert.equal(
      removeTask(text.replaceAll("\n", eol), name),
      expected.replaceAll("\n", eol),
    );
  }
}

function checkSet(
  text: string,
  [key, value]: readonly [string | readonly string[], TomlValue],
  expected: string,
): void {
  for (const eol of lineBreaks(text)) {
    assert.equal(
      setValue(text.replaceAll("\n", eol), key, value),
      expected.replaceAll("\n", eol),
    );
  }
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TaskmuxError) return error.code;
    throw error;
  }
  return "none";
}

/** The text without a piece that must be in it once. */
function without(text: string, piece: string): string {
  assert.equal(text.split(piece).length, 2, piece);
  return text.replace(piece, () => "");
}

Deno.test("addTask puts a new task below the others", () => {
  checkAdd(
    SHOP,
    ["new", { command: 'say "hi"', host: "n", depends_on: ["api"] }],
    SHOP.replace(
      '  "db",\n]\n',
      `  "db",\n]\n
[tasks.new]
command = 'say "hi"'
host = "n"
depends_on = ["api"]
`,
    ),
  );
});

Deno.test("addTask starts the tasks of a file that has none", () => {
  const block = '[tasks.a]\ncommand = "x"\n';
  const fields = { command: "x" };
  checkAdd("", ["a", fields], block);
  checkAdd('name = "shop"', ["a", fields], `name = "shop"\n\n${block}`);
  checkAdd('name = "shop"\n', ["a", fields], `name = "shop"\n\n${block}`);
  checkAdd('name = "shop"\n\n', ["a", fields], `name = "shop"\n\n${block}`);
  checkAdd("# only this", ["a", fields], `# only this\n\n${block}`);
  assert.equal(addTask("\uFEFF", "a", fields), `\uFEFF${block}`);
});

Deno.test("addTask keeps a file's end without a line break", () => {
  checkAdd(
    "[tasks.a]\ncommand = 'x'",
    ["b", { command: "y" }],
    "[tasks.a]\ncommand = 'x'\n\n[tasks.b]\ncommand = \"y\"\n",
  );
  checkAdd(
    "[tasks.a]\ncommand = 'x'",
    ["a", { command: "y" }],
    '[tasks.a]\ncommand = "y"',
  );
  checkAdd("[tasks.a]", ["a", { command: "y" }], '[tasks.a]\ncommand = "y"');
});

Deno.test("addTask leaves what follows where it is", () => {
  checkAdd(
    "[tasks.a]\ncommand = 'x'\n[worktree]\nenabled = true\n",
    ["b", { command: "y" }],
    "[tasks.a]\ncommand = 'x'\n\n[tasks.b]\ncommand = \"y\"\n\n[worktree]\nenabled = true\n",
  );
  checkAdd(
    "[tasks.a]\ncommand = 'x'\n# of the worktree\n[worktree]\n",
    ["b", { command: "y" }],
    "[tasks.a]\ncommand = 'x'\n\n[tasks.b]\ncommand = \"y\"\n\n# of the worktree\n[worktree]\n",
  );
});

Deno.test("addTask writes every kind of value", () => {
  const fields = {
    command: "a\nb",
    auto_start: false,
    health_interval: 0.5,
    port: 3000,
    depends_on: ["a", "b.c"],
    env: { "A": "1", B: "\\" },
    hooks: { before_start: "x" },
  };
  checkAdd(
    "",
    ["web 1", fields],
    `[tasks."web 1"]
command = "a\\nb"
auto_start = false
health_interval = 0.5
port = 3000
depends_on = ["a", "b.c"]
env = { A = "1", B = '\\' }
hooks = { before_start = "x" }
`,
  );
});

Deno.test("addTask replaces only a task's own lines", () => {
  checkAdd(
    SHOP,
    ["api", { command: "new", port: 1 }],
    SHOP.replace(
      'command = "run"   # trailing\n',
      'command = "new"\nport = 1\n',
    ),
  );
  checkAdd(
    SHOP,
    ["db", { command: "new" }],
    SHOP.replace(
      'command = """\n# no comment\n"""\n  [tasks.db.hooks]\n  before_start = "x"\n',
      'command = "new"\n',
    ),
  );
  checkAdd(
    SHOP,
    ["web", { command: "new" }],
    SHOP.replace(
      'command = \'w\'\ndepends_on = [\n  "api", # first\n  "db",\n]\n',
      'command = "new"\n',
    ),
  );
});

Deno.test("addTask replaces a task in the form it has", () => {
  const short = "[tasks]\na = 'x' # one\nb = 'y'\n";
  checkAdd(short, ["a", { command: "n" }], short.replace("'x'", '"n"'));
  checkAdd(
    short,
    ["a", { command: "n", port: 1 }],
    short.replace("'x'", '{ command = "n", port = 1 }'),
  );
  const inline = "[tasks]\na = { command = 'x' } # one\n";
  checkAdd(
    inline,
    ["a", { command: "n" }],
    inline.replace("'x'", '"n"'),
  );
  const within = "tasks = { a = 'x', b = 'y' }\n";
  checkAdd(within, ["b", { command: "n" }], within.replace("'y'", '"n"'));
  checkAdd(
    within,
    ["c", { command: "n" }],
    "tasks = { a = 'x', b = 'y', c = { command = \"n\" } }\n",
  );
  checkAdd(
    "tasks = {}\n",
    ["c", { command: "n" }],
    'tasks = { c = { command = "n" } }\n',
  );
});

Deno.test("addTask gathers a task that was scattered", () => {
  checkAdd(
    "name = 'x'\ntasks.a.command = 'x'\ntasks.b = 'y'\ntasks.a.port = 1\n",
    ["a", { command: "n" }],
    "name = 'x'\ntasks.b = 'y'\n\n[tasks.a]\ncommand = \"n\"\n",
  );
  checkAdd(
    "[tasks]\na.command = 'x'\nb = 'y'\n[tasks.a.hooks]\nbefore_start = 'x'\n[tasks.c]\ncommand = 'z'\n"
      .replace("a.command = 'x'\n", ""),
    ["a", { command: "n" }],
    "[tasks]\nb = 'y'\n[tasks.c]\ncommand = 'z'\n\n[tasks.a]\ncommand = \"n\"\n",
  );
  checkAdd(
    "[[tasks.a]]\nx = 1\n[[tasks.a]]\nx = 2\n",
    ["a", { command: "n" }],
    '[tasks.a]\ncommand = "n"\n',
  );
});

Deno.test("addTask refuses what it could only break", () => {
  const add = (text: string): string =>
    codeOf(() => addTask(text, "a", { command: "x" }));
  assert.equal(add("tasks = 5"), "E104");
  assert.equal(add("tasks = []"), "E104");
  assert.equal(add("[[tasks]]\nx = 1\n"), "E104");
  assert.equal(add("[tasks"), "E101");
  assert.equal(add(`[tasks]\nb = "${"x".repeat(300_000)}"`), "E104");
});

Deno.test("removeTask takes a task and its comments, not its neighbours'", () => {
  checkRemove(
    SHOP,
    "api",
    without(
      SHOP,
      '# The interface.\n[tasks.api]\ncommand = "run"   # trailing\n# port = 3000  (an idea)\n\n',
    ),
  );
  checkRemove(
    SHOP,
    "db",
    without(
      SHOP,
      '# The database,\n# in two lines.\n[tasks.db]\ncommand = """\n# no comment\n"""\n  [tasks.db.hooks]\n  before_start = "x"\n',
    ),
  );
  checkRemove(
    SHOP,
    "web",
    without(
      SHOP,
      '# The site.\n[tasks.web]\ncommand = \'w\'\ndepends_on = [\n  "api", # first\n  "db",\n]\n',
    ),
  );
});

Deno.test("removeTask cleans up at the end of a file", () => {
  const before = "name = 'x'\n";
  checkRemove(`${before}\n[tasks.a]\ncommand = 'x'\n`, "a", before);
  checkRemove(`${before}\n[tasks.a]\ncommand = 'x'`, "a", before);
  checkRemove(`${before}\n\n[tasks.a]\ncommand = 'x'\n\n\n`, "a", before);
  checkRemove("[tasks.a]\ncommand = 'x'\n", "a", "");
  checkRemove("#:schema x\n[tasks.a]\ncommand = 'x'\n", "a", "#:schema x\n");
});

Deno.test("removeTask does not take the end of a string for a comment", () => {
  const before = "[env]\nA = '''\n# it's'''\n";
  checkRemove(`${before}[tasks.a]\ncommand = 'x'\n`, "a", before);
});

Deno.test("removeTask knows every way to write a task", () => {
  checkRemove("[tasks]\na = 'x'\nb = 'y'\n", "b", "[tasks]\na = 'x'\n");
  checkRemove(
    "[tasks]\n# of a\na = 'x'\n\nb = 'y'\n",
    "a",
    "[tasks]\n\nb = 'y'\n",
  );
  checkRemove("[tasks]\na = 'x'\nb = 'y'", "b", "[tasks]\na = 'x'\n");
  checkRemove("[tasks]\na = 'x'\n", "a", "[tasks]\n");
  checkRemove(
    "[tasks]\na.command = 'x'\nb = 'y'\na.port = 1\n\n[hooks]\n",
    "a",
    "[tasks]\nb = 'y'\n\n[hooks]\n",
  );
  checkRemove("tasks.a = 'x'\nname = 'y'\n", "a", "name = 'y'\n");
  checkRemove("tasks.a.port = 1\nname = 'y'\n", "a", "name = 'y'\n");
  checkRemove("[ tasks . 'a.b' ]\nport = 1\n[tasks.c]\n", "a.b", "[tasks.c]\n");
  checkRemove("[tasks.\"a\"]\nport = 1\n['tasks'.c]\n", "a", "['tasks'.c]\n");
  checkRemove("[[tasks.a]]\n[[tasks.a]]\n[tasks.b]\n", "a", "[tasks.b]\n");
  checkRemove(
    "[tasks.a]\n[worktree]\n\n[tasks.a.hooks]\nx = 1\n[tunnel]\n",
    "a",
    "[worktree]\n\n[tunnel]\n",
  );
});

Deno.test("removeTask takes commas with it in inline tables", () => {
  const text = "tasks = { a = 'x', b.port = 1, c = {}, b.command = 'y' } # z\n";
  checkRemove(text, "a", without(text, "a = 'x', "));
  checkRemove(text, "c", without(text, "c = {}, "));
  checkRemove(text, "b", "tasks = { a = 'x', c = {} } # z\n");
  checkRemove("tasks = { a = 'x' }\n", "a", "tasks = { }\n");
  const tall = "tasks = {\n  a = 'x', # one\n  b = 'y', # two\n  c = 'z',\n}\n";
  checkRemove(
    tall,
    "c",
    without(tall, ", # two\n  c = 'z'").replace("'y'", "'y'"),
  );
});

Deno.test("removeTask refuses a task that is not there", () => {
  try {
    removeTask(SHOP, "wbe");
    assert.fail("nothing was refused");
  } catch (error) {
    assert.ok(error instanceof TaskmuxError);
    assert.equal(error.code, "E200");
    assert.equal(error.hint, 'did you mean "web"?');
  }
  assert.equal(codeOf(() => removeTask("", "a")), "E200");
  assert.equal(codeOf(() => removeTask("tasks = 5", "a")), "E200");
});

Deno.test("removeTask undoes addTask", () => {
  for (const text of [SHOP, "name = 'x'\n", "[tasks.a]\ncommand = 'x'\n"]) {
    const added = addTask(text, "fresh", { command: "x", env: { A: "1" } });
    assert.equal(removeTask(added, "fresh"), text);
  }
});

Deno.test("setValue exchanges a value in its place", () => {
  checkSet("a = 1 # one\nb=2\n", ["a", "x"], 'a = "x" # one\nb=2\n');
  checkSet("[m]\n  p = [\n 1,\n]# c\n", ["m.p", true], "[m]\n  p = true# c\n");
  checkSet("m = { p = 1, q = 2 }\n", ["m.p", 3], "m = { p = 3, q = 2 }\n");
  checkSet("m.'p' = 1\n", [["m", "p"], 3], "m.'p' = 3\n");
  checkSet('"a.b" = 1\n', ['"a.b"', 2], '"a.b" = 2\n');
});

Deno.test("setValue adds a key beside its neighbours", () => {
  checkSet("a = 1\n\n[m]\np = 1\n", ["b", 2], "a = 1\nb = 2\n\n[m]\np = 1\n");
  checkSet("a = 1\n\n[m]\np = 1\n", ["m.q", 2], "a = 1\n\n[m]\np = 1\nq = 2\n");
  checkSet("[m]\n  p = 1", ["m.q", 2], "[m]\n  p = 1\n  q = 2");
  checkSet("[m]\n[n]\n", ["m.q", 2], "[m]\nq = 2\n[n]\n");
  checkSet("m.p = 1\n[n]\n", ["m.q", 2], "m.p = 1\nm.q = 2\n[n]\n");
  checkSet(
    "[m]\nx.p = 1\ny = 1\n",
    ["m.x.q", 2],
    "[m]\nx.p = 1\nx.q = 2\ny = 1\n",
  );
  checkSet("m = { p = 1 }\n", ["m.q", 2], "m = { p = 1, q = 2 }\n");
  checkSet("m = { p = 1 }\n", ["m.q.r", 2], "m = { p = 1, q.r = 2 }\n");
});

Deno.test("setValue opens a table that is not there yet", () => {
  checkSet("a = 1", ["t.c.z", 2], "a = 1\n\n[t.c]\nz = 2\n");
  checkSet("[t.x]\n", ["t.c.z", 2], "[t.x]\n\n[t.c]\nz = 2\n");
  checkSet("", ["a", 1], "a = 1\n");
  checkSet("# note\n[m]\n", ["a", 1], "a = 1\n\n# note\n[m]\n");
  checkSet("# note\n\n[m]\n", ["a", 1], "# note\n\na = 1\n\n[m]\n");
  checkSet("#:schema x\n[m]\n", ["a", 1], "#:schema x\na = 1\n\n[m]\n");
  assert.equal(setValue("\uFEFF[m]\n", "a", 1), "\uFEFFa = 1\n\n[m]\n");
});

Deno.test("setValue refuses tables and broken keys", () => {
  const set = (text: string, key: string): string =>
    codeOf(() => setValue(text, key, 1));
  assert.equal(set("[m]\np = 1\n", "m"), "E104");
  assert.equal(set("m = 1\n", "m.p"), "E104");
  assert.equal(set("[[m]]\n", "m.p"), "E104");
  assert.equal(set("a = ", "b"), "E101");
  for (const key of ["", "a b", "a.", "a = 1\nb", "a # b", "[a]", "a.b=1, c"]) {
    assert.equal(set("", key), "E104", key);
  }
});

Deno.test("removeValue removes one value, and nothing that is not there", () => {
  const text = "a = 1\n[m]\n# of p\np = 1\nq.r = 2\nq.s = 3\n";
  assert.equal(removeValue(text, "m.p"), without(text, "# of p\np = 1\n"));
  assert.equal(removeValue(text, "m.q.r"), without(text, "q.r = 2\n"));
  assert.equal(removeValue(text, "m.q"), without(text, "q.r = 2\nq.s = 3\n"));
  assert.equal(removeValue(text, "m.x"), text);
  assert.equal(removeValue(text, "m"), "a = 1\n");
});

Deno.test("edits keep every other value of a file", () => {
  const before = parse(SHOP) as Record<string, Record<string, unknown>>;
  const after = parse(removeTask(addTask(SHOP, "n", { command: "x" }), "api"));
  const { api: _, ...tasks } = before["tasks"]!;
  assert.deepEqual(JSON.parse(JSON.stringify(after)), {
    ...JSON.parse(JSON.stringify(before)),
    tasks: { ...JSON.parse(JSON.stringify(tasks)), n: { command: "x" } },
  });
});
