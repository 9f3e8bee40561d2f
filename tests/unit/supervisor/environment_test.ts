import assert from "node:assert/strict";
import { NO_PROXY } from "../../../src/domain/task_url.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import {
  type EnvironmentRequest,
  type ProjectContext,
  taskEnvironment,
} from "../../../src/supervisor/environment.ts";

const PROJECT: ProjectContext = {
  name: "shop",
  projectId: "shop-fix",
  proxy: NO_PROXY,
  worktreeId: "fix",
  branch: "fix",
  isLinked: true,
  routes: [
    { name: "web", host: "web", port: 20001 },
    { name: "db", host: null, port: null },
  ],
};

const TASK = { name: "web", cwd: "/work/shop", env: [], envFiles: [] };

function environment(
  options: Partial<Omit<EnvironmentRequest, "task">> & {
    readonly task?: Partial<EnvironmentRequest["task"]>;
  },
): Promise<Record<string, string>> {
  return taskEnvironment({
    base: {},
    project: PROJECT,
    runId: "0123456789ab",
    port: 20001,
    caPath: null,
    ...options,
    task: { ...TASK, ...options.task },
  });
}

async function withFiles(
  files: Record<string, string>,
  body: (path: (name: string) => string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tmx-env-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await body((name) => `${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a task is told about itself and its project", async () => {
  assert.deepEqual(await environment({}), {
    TERM: "xterm-256color",
    PWD: "/work/shop",
    TASKMUX_PROJECT: "shop",
    TASKMUX_PROJECT_ID: "shop-fix",
    TASKMUX_BASE_HOST: "shop-fix.localhost",
    TASKMUX_IS_LINKED: "1",
    TASKMUX_BRANCH: "fix",
    TASKMUX_WORKTREE: "fix",
    TASKMUX_URL_WEB: "http://localhost:20001",
    TASKMUX_TASK: "web",
    TASKMUX_RUN_ID: "0123456789ab",
    PORT: "20001",
  });
});

Deno.test("a task without run or port is not told of one", async () => {
  const env = await environment({ runId: null, port: null });
  assert.ok(!("TASKMUX_RUN_ID" in env));
  assert.ok(!("PORT" in env));
});

Deno.test("a task gets addresses through the proxy when it listens", async () => {
  const proxy = { bound: true, httpsPort: 8443, tld: "localhost" };
  const env = await environment({ project: { ...PROJECT, proxy } });
  assert.equal(env["TASKMUX_URL_WEB"], "https://web.shop-fix.localhost:8443");
});

/** What is left of a base beside what every task gets. */
async function checkBase(
  base: Record<string, string>,
  kept: Record<string, string>,
): Promise<void> {
  const env = await environment({ base, port: null });
  const own = await environment({ base: {}, port: null });
  assert.deepEqual(env, { ...own, ...kept });
}

Deno.test("a task keeps the caller's environment", async () => {
  const base = {
    PATH: "/usr/bin",
    HOME: "/home/ann",
    NO_COLOR: "1",
    PORT: "3000",
    TASKMUX_HOME: "/state",
    TASKMUX_OWN_SETTING: "x",
    DENO_NO_PROMPT: "1",
  };
  await checkBase(base, base);
});

Deno.test("a task does not get what belongs to the caller's terminal", async () => {
  await checkBase({
    TERM: "dumb",
    TERM_PROGRAM: "vscode",
    COLUMNS: "80",
    LINES: "24",
    TMUX: "/tmp/tmux,1,0",
    PWD: "/elsewhere",
    OLDPWD: "/before",
    SHLVL: "3",
    _: "/usr/bin/taskmux",
  }, {});
});

Deno.test("a task does not get what belongs to the task that started it", async () => {
  await checkBase({
    TASKMUX_RUN_ID: "ffffffffffff",
    TASKMUX_TASK: "agent",
    TASKMUX_PROJECT: "other",
    TASKMUX_URL_OLD: "http://localhost:1",
    PORT: "4000",
  }, {});
});

Deno.test("a task gets the CA unless the user names certificates", async () => {
  const caPath = "/state/ca/rootCA.pem";
  const env = await environment({ caPath });
  assert.equal(env["NODE_EXTRA_CA_CERTS"], caPath);
  const base = { NODE_EXTRA_CA_CERTS: "/corporate.pem" };
  const own = await environment({ caPath, base });
  assert.equal(own["NODE_EXTRA_CA_CERTS"], "/corporate.pem");
  // Whoever wants the roots of the system keeps them.
  const caBundle = "/state/ca-bundle.pem";
  const system = "/etc/ssl/certs/ca-certificates.crt";
  for (
    const [value, expected] of [["", caPath], [caBundle, caPath], [
      system,
      caBundle,
    ]]
  ) {
    const base = { NODE_EXTRA_CA_CERTS: value! };
    const env = await environment({ caPath, caBundle, base });
    assert.equal(env["NODE_EXTRA_CA_CERTS"], expected);
  }
});

Deno.test("later sources win over earlier ones and ours over all", async () => {
  const files = {
    one: "A=file1\nB=file1\nC=file1\nPORT=1\nTASKMUX_TASK=x",
    two: "B=file2\nC=file2\nexport Q='a b' # comment\nE=\"x\\ny\"",
  };
  await withFiles(files, async (path) => {
    const env = await environment({
      base: { A: "base", D: "base" },
      task: {
        envFiles: [path("one"), path("two")],
        env: [["C", "entry"], ["PORT", "2"], ["TERM", "dumb"]],
      },
    });
    assert.deepEqual(
      ["A", "B", "C", "D", "Q", "E", "PORT", "TASKMUX_TASK", "TERM"]
        .map((name) => env[name]),
      [
        "file1",
        "file2",
        "entry",
        "base",
        "a b",
        "x\ny",
        "20001",
        "web",
        "dumb",
      ],
    );
  });
});

async function checkEntries(
  entries: [string, string][],
  expected: Record<string, string>,
): Promise<void> {
  const base = { PATH: "/usr/bin", HOME: "/home/ann" };
  const env = await environment({ base, task: { env: entries } });
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(env[name], value, name);
  }
}

Deno.test("an entry can use earlier values", async () => {
  await checkEntries(
    [
      ["PATH", "./bin:$PATH"],
      ["URL", "http://localhost:${PORT}/$TASKMUX_TASK"],
      ["LATER", "$URL?x"],
      ["FORWARD", "[$AFTER]"],
      ["AFTER", "1"],
      ["PRICE", "5$$"],
    ],
    {
      PATH: "./bin:/usr/bin",
      URL: "http://localhost:20001/web",
      LATER: "http://localhost:20001/web?x",
      FORWARD: "[]",
      PRICE: "5$",
    },
  );
});

Deno.test("an entry sees the port that the task gets, not a file's", async () => {
  await withFiles({ env: "PORT=1" }, async (path) => {
    const env = await environment({
      task: { envFiles: [path("env")], env: [["ADDRESS", ":$PORT"]] },
    });
    assert.equal(env["ADDRESS"], ":20001");
  });
});

Deno.test("values of env files are taken as they are", async () => {
  await withFiles({ env: "A=$HOME" }, async (path) => {
    const env = await environment({
      base: { HOME: "/home/ann" },
      task: { envFiles: [path("env")] },
    });
    assert.equal(env["A"], "$HOME");
  });
});

async function checkRefused(
  task: Partial<EnvironmentRequest["task"]>,
  message: RegExp,
): Promise<void> {
  await assert.rejects(environment({ task }), (error) => {
    assert.ok(error instanceof TaskmuxError);
    assert.equal(error.code, "E104");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("an env file that cannot be read is an error that names it", async () => {
  await withFiles({ big: "A=".padEnd(1024 * 1024 + 1, "x") }, async (path) => {
    await checkRefused(
      { envFiles: [path("none")] },
      /^Cannot read env file ".*\/none": it does not exist$/,
    );
    await checkRefused(
      { envFiles: [path("big/none")] },
      /^Cannot read env file ".*\/big\/none": it does not exist$/,
    );
    await checkRefused({ envFiles: [path(".")] }, /: it is not a file$/);
    await checkRefused(
      { envFiles: [path("big")] },
      /: it is larger than 1048576 bytes$/,
    );
  });
});

Deno.test("an error about a value does not tell the value", async () => {
  await checkRefused(
    { env: [["SECRET", "hunter2\0"]] },
    /^Cannot set "SECRET" for task "web": its value holds a NUL character$/,
  );
});
