import assert from "node:assert/strict";
import type { Context } from "../../../src/cli/context.ts";
import {
  recordRedactor,
  safeAnswer,
  safeError,
  safeLines,
} from "../../../src/cli/redaction.ts";
import type { Manner } from "../../../src/contract/wire.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import type { ReadLine } from "../../../src/domain/record_redactor.ts";
import { type TempHome, tempHome } from "../../support/temp_home.ts";

const SECRETS = {
  shell: "shell-hunter2-1a",
  toml: "toml-hunter2-2b",
  file: "file-hunter2-3c",
};

interface Shop {
  readonly context: Context;
  readonly config: string;
}

async function shop(
  { work, paths }: TempHome,
  manner: Manner = {},
): Promise<Shop> {
  const config = `${work}/taskmux.toml`;
  await Deno.writeTextFile(
    config,
    `name = "shop"
env_file = ".env"
[tasks.web]
command = "true"
[tasks.web.env]
DB_PASSWORD = "${SECRETS.toml}"
ADDRESS = "postgres://u:$FILE_TOKEN@h/d"
`,
  );
  await Deno.writeTextFile(`${work}/.env`, `FILE_TOKEN=${SECRETS.file}\n`);
  const context = {
    manner,
    paths,
    env: () => ({ API_KEY: SECRETS.shell, HOME: work }),
  } as unknown as Context;
  return { context, config };
}

const TEXT = `a ${SECRETS.shell} b ${SECRETS.toml} c ${SECRETS.file} d`;

Deno.test("an answer from disk holds no secret of shell, file and env file", async () => {
  await using home = await tempHome();
  const { context, config } = await shop(home);
  const answer = { reason: TEXT };
  assert.deepEqual(await safeAnswer(context, config, answer), {
    reason: "a *** b *** c *** d",
  });
  assert.deepEqual(await safeAnswer(context, null, answer), {
    reason: `a *** b ${SECRETS.toml} c ${SECRETS.file} d`,
  });
});

Deno.test("a project that cannot be read leaves the secrets of the shell", async () => {
  await using home = await tempHome();
  const { context, config } = await shop(home);
  await Deno.writeTextFile(config, "name = [");
  const answer = await safeAnswer(context, config, { reason: TEXT });
  assert.equal(answer.reason.includes(SECRETS.shell), false);
  await Deno.remove(config);
  const gone = await safeAnswer(context, config, { reason: TEXT });
  assert.equal(gone.reason.includes(SECRETS.shell), false);
});

const STAMP = "2026-11-20T10:00:00.000 ";

function line(styled: string, task = "web"): Required<ReadLine> {
  // deno-lint-ignore no-control-regex -- as the reader of logs does it
  const text = styled.replace(/\x1b\[[0-9;]*m/g, "");
  return { task, text, styled, raw: STAMP + styled };
}

Deno.test("a page keeps its colours, and its parts still fit together", async () => {
  await using home = await tempHome();
  const { context, config } = await shop(home);
  const records = [
    line(`\x1b[31mis shell-\x1b[1mhunter2-1a\x1b[0m.`),
    line("plain"),
    line("abCd12=="),
    line("other", "api"),
    line("-----END PRIVATE KEY-----"),
  ];
  const secrets = await recordRedactor(context, config);
  const safe = secrets?.lines(records) ?? [];
  assert.deepEqual(safe[0], {
    task: "web",
    text: "is ***.",
    styled: "\x1b[31mis ***\x1b[1m\x1b[0m.",
    raw: `${STAMP}\x1b[31mis ***\x1b[1m\x1b[0m.`,
  });
  assert.deepEqual(
    safe.slice(1).map(({ text }) => text),
    ["plain", "***", "other", "-----END PRIVATE KEY-----"],
  );
  assert.equal(safe[3], records[3], "what holds none is not copied");
});

Deno.test("lines as they come hold no secret", async () => {
  await using home = await tempHome();
  const { context, config } = await shop(home);
  async function* lines(): AsyncGenerator<ReadLine, void, void> {
    yield await Promise.resolve({ task: "web", text: TEXT });
  }
  const safe = await Array.fromAsync(safeLines(context, config, lines()));
  assert.deepEqual(safe, [{ task: "web", text: "a *** b *** c *** d" }]);
});

Deno.test("with reveal everything is as it is", async () => {
  await using home = await tempHome();
  const { context, config } = await shop(home, { reveal: true });
  const answer = { reason: TEXT };
  assert.equal(await safeAnswer(context, config, answer), answer);
  assert.equal(await recordRedactor(context, config), null);
});

Deno.test("an error of the CLI holds no secret of its shell", () => {
  const error = new TaskmuxError("E104", `Cannot use ${SECRETS.shell}`, {
    details: { problems: ['DB_PASSWORD = "x y"'] },
  });
  const safe = safeError(error, { API_KEY: SECRETS.shell });
  assert.equal(safe.message, "Cannot use ***");
  assert.deepEqual(safe.details, { problems: ['DB_PASSWORD = "***"'] });
  const harmless = new TaskmuxError("E104", "Cannot do that");
  assert.equal(safeError(harmless, {}), harmless);
});
