import assert from "node:assert/strict";
import { parse } from "smol-toml";
import {
  addTask,
  removeTask,
  setValue,
} from "../../../src/config/edit_toml.ts";
import { parseHostConfig } from "../../../src/config/host_config.ts";
import { parseProject } from "../../../src/config/project_config.ts";
import { starterText } from "../../../src/config/starter.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { randomFrom } from "../../support/random.ts";
import { mutatedTexts, pick } from "../../support/toml_mutator.ts";
import { ORIGINAL_HOSTS, ORIGINAL_PROJECTS } from "./original_examples.ts";

const FILES = 10_000;
const SEED = 20_260_101;

/** For one file through everything: a hundred times what it takes, and far less than a hang. */
const MAX_FILE_MS = 2_000;

const MAX_TOTAL_MS = 30_000;

const EVERYTHING = `# all at once
"name" = 'shop'
env = { A = 1, B = "$A" }
env_file = [".env", '''x''']
tasks.dotted.command = "d"
tasks.dotted.hooks.after_stop = """
# no comment
"""
hooks.before_start = "x"
[tasks]
short = "echo"
inline = { command = 'i', depends_on = { short = "started" }, port = 0x1F90 }
# of quoted
[tasks."quoted.name"]
command = """\\
  long \\
  text"""
ready_log = '(\\w+)\\s*on'
log_max_size = "1.5GB"
success_exit_codes = [ 0, # zero
  143,
]

  [tasks.'quoted.name'.hooks]
  before_start = "x"
[worktree]
separator = "--"
`;

const CORPUS = [
  ...Object.values(ORIGINAL_PROJECTS),
  ...Object.values(ORIGINAL_HOSTS),
  starterText("shop"),
  EVERYTHING,
  EVERYTHING.replaceAll("\n", "\r\n"),
];

/** What a call gives, or null after an error that it may throw. Anything else is a failure of the test. */
function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof TaskmuxError) return null;
    throw error;
  }
}

/** Tasks of a text that is TOML, whatever else is wrong with it. */
function tasksOf(text: string): string[] {
  try {
    return Object.keys(parse(text)["tasks"] ?? {});
  } catch (error) {
    if (error instanceof Error) return [];
    throw error;
  }
}

/** Every line of the part stands in the whole, in the same order. */
function isSubsequence(part: string, whole: string): boolean {
  const lines = whole.split("\n");
  let at = 0;
  for (const line of part.replace(/\n$/, "").split("\n")) {
    at = lines.indexOf(line, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/** How many characters at both ends of a text are still there. */
function keptLength(text: string, edited: string): number {
  let start = 0;
  while (start < text.length && text[start] === edited[start]) start++;
  let end = 0;
  while (end < text.length && text.at(-1 - end) === edited.at(-1 - end)) end++;
  return start + end;
}

/** What came of one text. */
interface Outcome {
  readonly isProject: boolean;
  readonly isAdded: boolean;
  readonly isRemoved: boolean;
}

function exercise(text: string, random: () => number): Outcome {
  const project = attempt(() => parseProject(text, "/x/taskmux.toml"));
  attempt(() => parseHostConfig(text, "/x/config.toml"));
  attempt(() => setValue(text, "mcp.path", "/x"));
  const fields = { command: "x", env: { A: '"' } };
  const added = attempt(() => addTask(text, "fuzz.new", fields));
  if (added !== null) {
    // An empty inline table is opened, which costs its inside.
    assert.ok(keptLength(text, added) >= text.length - 1, "text was lost");
    if (project !== null) {
      const now = parseProject(added, "/x/taskmux.toml").tasks;
      assert.deepEqual(
        [...now.keys()].sort(),
        [
          ...project.tasks.keys(),
          "fuzz.new",
        ].sort(),
      );
    }
  }
  const names = tasksOf(text);
  if (names.length === 0) {
    return {
      isProject: project !== null,
      isAdded: added !== null,
      isRemoved: false,
    };
  }
  const name = pick(names, random);
  const removed = attempt(() => removeTask(text, name));
  if (removed !== null && !/[{]/.test(text)) {
    assert.ok(isSubsequence(removed, text), "other lines were changed");
  }
  attempt(() => addTask(text, name, { command: "y", port: 1 }));
  return {
    isProject: project !== null,
    isAdded: added !== null,
    isRemoved: removed !== null,
  };
}

Deno.test("damaged files are read or refused, and never break on an edit", () => {
  const random = randomFrom(SEED);
  const texts = mutatedTexts(CORPUS, SEED);
  const begin = performance.now();
  const counts = { projects: 0, added: 0, removed: 0 };
  for (let count = 0; count < FILES; count++) {
    const text = texts.next().value;
    const start = performance.now();
    try {
      const outcome = exercise(text, random);
      if (outcome.isProject) counts.projects++;
      if (outcome.isAdded) counts.added++;
      if (outcome.isRemoved) counts.removed++;
    } catch (error) {
      throw new Error(`File ${count}: ${JSON.stringify(text)}`, {
        cause: error,
      });
    }
    const tookMs = performance.now() - start;
    assert.ok(tookMs < MAX_FILE_MS, `${tookMs} ms: ${JSON.stringify(text)}`);
  }
  const totalMs = performance.now() - begin;
  assert.ok(totalMs < MAX_TOTAL_MS, `${totalMs} ms in all`);
  // Damage that leaves nothing to read or edit would test the parser of TOML only.
  for (const [kind, count] of Object.entries(counts)) {
    assert.ok(count > FILES / 20, `${kind}: only ${count}`);
  }
});

Deno.test("values made to keep a pattern busy are soon done with", () => {
  const long = "a-".repeat(100_000);
  const values = [long, `${long}!`, "9".repeat(200_000), " ".repeat(200_000)];
  const keys = [
    "host",
    "host_path",
    "public_hostname",
    "log_max_size",
    "health_expected_body",
    "health_url",
    "restart_policy",
  ];
  const begin = performance.now();
  for (const value of values) {
    for (const key of keys) {
      const text = `[tasks.a]\ncommand = "x"\n${key} = "${value}"\n`;
      attempt(() => parseProject(text, "/x/taskmux.toml"));
    }
    attempt(() => parseProject(`name = "${value}"`, "/x/taskmux.toml"));
    attempt(() => parseProject(`[tasks]\n"${value}" = 1`, "/x/taskmux.toml"));
    attempt(() => parseHostConfig(`proxy_bind = "${value}"`, "/x/c.toml"));
  }
  const tookMs = performance.now() - begin;
  assert.ok(tookMs < MAX_TOTAL_MS, `${tookMs} ms`);
});
