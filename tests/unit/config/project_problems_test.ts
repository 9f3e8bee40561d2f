import assert from "node:assert/strict";
import { parseProject } from "../../../src/config/project_config.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

interface Found {
  readonly code: string;
  readonly message: string;
  readonly key: string;
  readonly line: number;
  readonly column: number;
  readonly hint?: string;
}

function fail(text: string): TaskmuxError {
  try {
    parseProject(text, "/code/shop/taskmux.toml");
  } catch (error) {
    if (error instanceof TaskmuxError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `No problem in:\n${text}` });
}

function problemsOf(text: string): readonly Found[] {
  return fail(text).details?.["problems"] as unknown as readonly Found[];
}

/** One problem of a task `a` with a command, on its third line. */
function checkTask(
  line: string,
  expected: { code?: string; says: RegExp; column?: number; hint?: string },
): void {
  const found = problemsOf(`[tasks.a]\ncommand = "x"\n${line}\n`);
  assert.equal(found.length, 1, `${line}: ${JSON.stringify(found)}`);
  const [problem] = found;
  assert.match(problem!.message, expected.says);
  assert.equal(problem!.code, expected.code ?? "E104", line);
  assert.equal(problem!.line, 3, line);
  if (expected.column !== undefined) {
    assert.equal(problem!.column, expected.column, line);
  }
  assert.equal(problem!.hint, expected.hint, line);
}

Deno.test("parseProject tells a single problem as its sentence with the place", () => {
  const error = fail('name = "shop"\nauto_start = "yes"\n');
  assert.equal(error.code, "E104");
  assert.equal(
    error.message,
    'Cannot use "auto_start": it must be true or false, but it is "yes" (taskmux.toml:2:14)',
  );
  assert.deepEqual(error.details, {
    path: "/code/shop/taskmux.toml",
    line: 2,
    column: 14,
    problems: [{
      code: "E104",
      message:
        'Cannot use "auto_start": it must be true or false, but it is "yes"',
      key: "auto_start",
      line: 2,
      column: 14,
    }],
  });
});

Deno.test("parseProject tells all problems at once in the order of the file", () => {
  const error = fail(`nmae = "shop"
[tasks.web]
comand = "x"
port = 0
depends_on = ["api", "db"]
[tasks.web.hooks]
before = "x"
[tasks.api]
command = "x"
[worktree]
sep = "-"
`);
  assert.equal(error.code, "E103");
  assert.equal(
    error.message,
    `Cannot use "/code/shop/taskmux.toml": 6 problems
taskmux.toml:1:1 Cannot use key "nmae": it is unknown (did you mean "name"?)
taskmux.toml:3:1 Cannot use key "comand" in [tasks.web]: it is unknown (did you mean "command"?)
taskmux.toml:4:8 Cannot use "port" in [tasks.web]: it must be a whole number from 1 to 65535, but it is 0
taskmux.toml:5:22 Cannot order task "web": it depends on "db", which is no task
taskmux.toml:7:1 Cannot use key "before" in [tasks.web.hooks]: it is unknown
taskmux.toml:11:1 Cannot use key "sep" in [worktree]: it is unknown`,
  );
  assert.deepEqual(error.details?.["keys"], [
    "nmae",
    "tasks.web.comand",
    "tasks.web.hooks.before",
    "worktree.sep",
  ]);
  assert.equal(error.hint, undefined);
});

Deno.test("parseProject gives the code of the first problem", () => {
  assert.equal(fail("[tasks.a]\nport = 0\nx = 1").code, "E102");
  assert.equal(fail('[tasks.a]\ncommand = "x"\nx = 1\nport = 0').code, "E103");
  assert.equal(fail('[tasks.a]\ncommand = "x"\nport = 0\nx = 1').code, "E104");
});

Deno.test("parseProject hints at the only unknown key", () => {
  const error = fail('[tasks.a]\ncommand = "x"\nhealth_ulr = "x"\n');
  assert.equal(error.code, "E103");
  assert.equal(error.hint, 'did you mean "health_url"?');
});

Deno.test("parseProject shows where TOML is broken", () => {
  const error = fail('name = "shop"\n[tasks.a\ncommand = "x"\n');
  assert.equal(error.code, "E101");
  assert.match(
    error.message,
    /^Cannot parse "\/code\/shop\/taskmux.toml" at line 2, column 9: /,
  );
  assert.match(error.message, /\n2: {2}\[tasks\.a\n/);
  assert.equal(error.details?.["line"], 2);
  assert.equal(error.details?.["column"], 9);
  assert.match(String(error.details?.["frame"]), /\^/);
});

Deno.test("parseProject refuses endless and bottomless files", () => {
  const check = (text: string): void =>
    assert.equal(fail(text).code, "E101", text.slice(0, 20));
  check("#".repeat(1024 * 1024 + 1));
  check(`a = ${"[".repeat(100)}${"]".repeat(100)}`);
  check(`a = ${"[".repeat(50_000)}`);
  check(`a${".a".repeat(200_000)} = 1`);
  check(`[a${".a".repeat(100)}]`);
});

Deno.test("parseProject checks names of tasks", () => {
  const check = (name: string): void => {
    const error = fail(`[tasks]\n${JSON.stringify(name)} = "x"\n`);
    assert.equal(error.code, "E102", name);
    assert.match(error.message, /as the name of a task/);
    assert.equal(error.details?.["line"], 2);
  };
  for (const name of ["", "a b", "-a", ".a", "a/b", "ä", "a\n", "a\0"]) {
    check(name);
  }
  check("x".repeat(101));
  const fine = ["_", "9", "a.b-c_d", "x".repeat(100)];
  const text = fine.map((name) => `${JSON.stringify(name)} = "x"`).join("\n");
  assert.equal(parseProject(`[tasks]\n${text}`, "/x/t.toml").tasks.size, 4);
});

Deno.test("parseProject checks definitions of tasks", () => {
  const check = (text: string, code: string, says: RegExp): void => {
    const error = fail(text);
    assert.equal(error.code, code, text);
    assert.match(error.message, says);
  };
  check("[tasks.a]\n", "E102", /task "a": it has no "command"/);
  check("[tasks]\na = 5", "E102", /must be a table or a command, but is 5/);
  check("[tasks]\na = []", "E102", /but is a list/);
  check("[[tasks.a]]\ncommand = 'x'", "E102", /but is a list/);
  check("[tasks]\na = 2020-01-01", "E102", /but is a date/);
  check('[tasks]\na = " "', "E104", /"command" in \[tasks.a\]/);
  check('[tasks.a]\ncommand = ["x"]', "E104", /but it is a list/);
  check('tasks = "x"', "E104", /it must be a table of tasks/);
});

Deno.test("parseProject checks types without guessing", () => {
  checkTask('auto_start = "true"', {
    says: /true, false or "on-request", but it is "true"$/,
  });
  checkTask('auto_start = "onrequest"', {
    says: /but it is "onrequest"/,
    hint: 'did you mean "on-request"?',
  });
  checkTask("auto_start = 1", { says: /true, false or/, column: 14 });
  checkTask('port = "80"', { says: /whole number from 1 to 65535/ });
  checkTask("port = 80.5", { says: /but it is 80.5/ });
  checkTask("command2 = 1", {
    code: "E103",
    says: /unknown/,
    hint: 'did you mean "command"?',
  });
  checkTask("cwd = 5", { says: /a path, but it is 5/ });
  checkTask('cwd = "a\\u0000b"', { says: /it holds a NUL/ });
  checkTask('env = "A=1"', { says: /a table of variables/ });
  checkTask("env = { A = [] }", { says: /"A" in \[tasks.a.env\]/, column: 13 });
  checkTask("env = { A = 2020-01-01 }", { says: /but it is a date/ });
  checkTask('env = { "A-B" = 1 }', { says: /variable "A-B"/, column: 9 });
  checkTask('env = { A = "\\u0000" }', { says: /it holds a NUL/ });
  checkTask("env_file = [1]", { says: /element 1 of "env_file"/, column: 13 });
  checkTask("hooks = 'x'", { says: /must be a table, but it is "x"/ });
  checkTask("hooks = { before_start = 1 }", { says: /a shell command/ });
  checkTask("watch = [['x']]", { says: /but it is a list/ });
});

Deno.test("parseProject checks ranges", () => {
  const outside = [
    "port = 65536",
    "health_interval = 0",
    "health_interval = -1",
    "health_interval = inf",
    "health_interval = nan",
    "health_timeout = 0.0",
    "health_timeout = 3000000",
    "health_retries = -1",
    "health_retries = 1.5",
    "health_retries_tcp = -1",
    "boot_grace = -0.1",
    "stop_grace_period = -1",
    "pids_limit = -1",
    "pids_limit = 1.5",
    "max_restarts = -1",
    "max_restarts = 99999999999999999999",
    "restart_backoff = 0.9",
    "success_exit_codes = [256]",
    "success_exit_codes = [-1]",
    "log_max_files = -1",
    "health_expected_status = 99",
    "health_expected_status = 600",
  ];
  for (const line of outside) checkTask(line, { says: /it must be/ });
});

Deno.test("parseProject checks words", () => {
  checkTask('restart_policy = "allways"', {
    says: /"no", "on-failure" or "always"/,
    hint: 'did you mean "always"?',
  });
  checkTask('stop_signal = "SIGSTOP"', { says: /"SIGINT", / });
  checkTask('tunnel = "frp"', { says: /"cloudflare".* or "noop"/ });
  const [problem] = problemsOf(
    '[tasks]\nb = "x"\n[tasks.a]\ncommand = "x"\ndepends_on = { b = "up" }',
  );
  assert.match(problem!.message, /"healthy", "started" or "completed"/);
});

Deno.test("parseProject checks patterns and sizes", () => {
  checkTask('health_expected_body = "(a"', { says: /does not compile/ });
  checkTask('ready_log = "a{2,1}"', { says: /does not compile/ });
  for (const size of ['"10XB"', '"MB"', '"-1MB"', '"1e3"', '""', "0", "1.5"]) {
    checkTask(`log_max_size = ${size}`, { says: /a size such as "10MB"/ });
  }
  checkTask(`log_max_size = "${"9".repeat(30)}"`, { says: /a size/ });
  checkTask('host_path = "app"', { says: /starts with "\/"/ });
});

Deno.test("parseProject checks names of hosts", () => {
  for (const host of ["", "API", "a.b", "-a", "a-", "a_b", "**", "x y"]) {
    checkTask(`host = "${host}"`, { says: /"@", "\*", or a name/ });
  }
  checkTask(`host = "${"x".repeat(64)}"`, { says: /64 characters, 63/ });
  assert.equal(fail(`name = "My App"`).code, "E104");
  assert.equal(fail(`name = "${"x".repeat(64)}"`).code, "E104");
  assert.equal(fail('[worktree]\nseparator = "_"').code, "E104");
  assert.equal(fail('[worktree]\nseparator = ""').code, "E104");
});

Deno.test("parseProject wants every host once", () => {
  for (const host of ["api", "@", "*"]) {
    const found = problemsOf(
      `[tasks.a]\ncommand = "x"\nhost = "${host}"\n[tasks.b]\ncommand = "x"\nhost = "${host}"\n`,
    );
    assert.deepEqual(found, [{
      code: "E104",
      message: `Cannot use host "${host}" for task "b": task "a" has it`,
      key: "tasks.b.host",
      line: 6,
      column: 8,
    }]);
  }
});

Deno.test("parseProject checks tunnels", () => {
  const check = (lines: string, says: RegExp): void => {
    const found = problemsOf(`[tasks.a]\ncommand = "x"\n${lines}\n`);
    assert.equal(found.length, 1, lines);
    assert.equal(found[0]!.code, "E104");
    assert.match(found[0]!.message, says);
  };
  check('tunnel = "noop"', /a "tunnel" but no "host"/);
  check('tunnel = "noop"\nhost = "*"', /many names/);
  check('tunnel = "cloudflare"\nhost = "@"', /needs a "public_hostname"/);
  for (const name of ["localhost", "a..b", "-a.com", "a b.com", ""]) {
    check(`public_hostname = "${name}"`, /a DNS name such as/);
  }
  check(`public_hostname = "${"x".repeat(64)}.com"`, /a DNS name/);
  check(`public_hostname = "${"xyz.".repeat(70)}com"`, /a DNS name/);
  // A value that is wrong by itself is not also missing.
  check('tunnel = "noop"\nhost = "A"', /a name of lower-case letters/);
});

Deno.test("parseProject refuses credentials in a project's file", () => {
  for (const key of ["api_token", "api_token_env"]) {
    for (const table of ["tunnel", "tunnel.cloudflare"]) {
      const [problem, ...others] = problemsOf(`[${table}]\n${key} = "s3cret"`);
      assert.equal(others.length, 0);
      assert.equal(problem!.code, "E104");
      assert.match(problem!.message, /must not hold credentials/);
      // Whoever follows it does not put the token among the arguments of a program.
      assert.doesNotMatch(problem!.hint ?? "", /api_token /);
      assert.doesNotMatch(JSON.stringify(problem), /s3cret/);
    }
  }
});

Deno.test("parseProject checks that dependencies exist", () => {
  const [problem] = problemsOf(
    '[tasks]\ndatabase = "x"\n[tasks.a]\ncommand = "x"\ndepends_on = [\n  "databse",\n]\n',
  );
  assert.deepEqual(problem, {
    code: "E210",
    message: 'Cannot order task "a": it depends on "databse", which is no task',
    key: "tasks.a.depends_on[0]",
    line: 6,
    column: 3,
    hint: 'did you mean "database"?',
  });
  checkTask('depends_on = { b = "started" }', {
    code: "E210",
    says: /"b", which is no task/,
    column: 16,
  });
  checkTask('depends_on = ["a"]', {
    code: "E211",
    says: /depends on itself/,
    column: 15,
  });
  checkTask('depends_on = "a"', { says: /a list of task names, or a table/ });
});

/** The rings that are told of dependencies such as `a: b c`. */
function ringsOf(graph: Readonly<Record<string, string>>): string[] {
  const text = Object.entries(graph).map(([name, targets]) =>
    `[tasks.${name}]\ncommand = "x"\ndepends_on = ${
      JSON.stringify(targets.split(" ").filter((target) => target !== ""))
    }\n`
  ).join("");
  return problemsOf(text).map(({ code, message }) => {
    assert.equal(code, "E212");
    return message.replace(/^.*ring, /, "");
  });
}

Deno.test("parseProject shows rings of dependencies", () => {
  assert.deepEqual(ringsOf({ a: "b", b: "a" }), ["a → b → a"]);
  assert.deepEqual(ringsOf({ x: "c", a: "b", b: "c", c: "a" }), [
    "a → b → c → a",
  ]);
  assert.deepEqual(ringsOf({ a: "b", b: "a", c: "d", d: "e", e: "c a" }), [
    "a → b → a",
    "c → d → e → c",
  ]);
});

Deno.test("parseProject takes diamonds and long chains for no rings", () => {
  const diamond = 'a = { command = "x", depends_on = ["b", "c"] }\n' +
    'b = { command = "x", depends_on = ["d"] }\n' +
    'c = { command = "x", depends_on = ["d"] }\nd = "x"\n';
  assert.equal(parseProject(`[tasks]\n${diamond}`, "/x/t").tasks.size, 4);
  const length = 5_000;
  const chain = Array.from(
    { length },
    (_, index) =>
      `[tasks.t${index}]\ncommand = "x"\n` +
      (index === 0 ? "" : `depends_on = ["t${index - 1}"]\n`),
  ).reverse().join("");
  assert.equal(parseProject(chain, "/x/t").tasks.size, length);
});

Deno.test("parseProject bounds the list of problems", () => {
  const text = Array.from({ length: 5000 }, (_, index) => `k${index} = 1\n`);
  const error = fail(text.join(""));
  assert.equal((error.details?.["problems"] as unknown[]).length, 100);
  assert.equal(error.details?.["problem_count"], 5000);
  assert.match(error.message, /: 5000 problems\n/);
  assert.match(error.message, /\nand 4900 more$/);
});

Deno.test("parseProject finds places in every way of writing", () => {
  const check = (text: string, line: number, column: number): void => {
    const [problem] = problemsOf(text);
    assert.deepEqual(
      [problem!.line, problem!.column],
      [line, column],
      JSON.stringify(text),
    );
  };
  check("\uFEFFx = 1", 1, 1);
  check("a.b = 1", 1, 1);
  check('name = "a"\r\n\r\n  x = 1\r\n', 3, 3);
  check("worktree.x = 1", 1, 10);
  check("[ worktree ]\n\tx = 1", 2, 2);
  check("tasks.a.x = 1\ntasks.a.command = 'x'", 1, 9);
  check("tasks = { a = { command = 'x', x = 1 } }", 1, 32);
  check("[tasks.'a']\ncommand = 'x'\n\"port\" = -1", 3, 10);
  check('[tasks.a]\ncommand = """\n\n"""\nport = 0', 2, 11);
});

Deno.test("parseProject reads a file whose places cannot be found", () => {
  // A string of this length defeats the parser that knows places.
  const command = "x".repeat(300_000);
  const project = parseProject(`[tasks]\na = "${command}"`, "/x/t.toml");
  assert.equal(project.tasks.get("a")!.command.length, 300_000);
  const error = fail(`x = 1\n[tasks]\na = "${command}"`);
  assert.equal(error.code, "E103");
  assert.equal(error.details?.["line"], 1);
});
