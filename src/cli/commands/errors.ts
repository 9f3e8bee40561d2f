/**
 * `taskmux errors`
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { type ErrorAnswer, fitErrors } from "../../domain/error_answer.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { ERROR_CODES, EXIT } from "../../domain/error_codes.ts";
import { systemClock } from "../../kit/clock.ts";
import { BUDGET_OPTIONS, budgetBytes } from "../budget_option.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { ask, findDaemon } from "../daemon_access.ts";
import {
  NOWHERE,
  PLACE_OPTIONS,
  type PlaceValues,
  readFromPlace,
} from "../log_place.ts";
import { pointInTime, wholeNumber } from "../option_value.ts";
import { projectScope } from "../project.ts";
import { errorDigestLines } from "../render/errors.ts";

/** Groups shown unless something else is asked for. */
const DEFAULT_GROUPS = 20;

/** Most groups in an answer. */
const MAX_GROUPS = 1000;

/** Digests what went wrong. */
export const errors = command({
  usage: "[TASK...] [--since WHEN] [--until WHEN] [--cursor-name NAME] [-n N]",
  about: "Error blocks and stack traces in the output, each error once, the " +
    "newest first, with its place in your\nsource. Without --since and " +
    "--cursor the newest 64 MiB of the logs are read. WHEN is 5m ago or an\n" +
    "ISO time, local unless it has a zone.",
  options: {
    since: { type: "string", value: "WHEN", summary: "Only from then on" },
    until: { type: "string", value: "WHEN", summary: "Only up to then" },
    ...PLACE_OPTIONS,
    groups: {
      type: "string",
      short: "n",
      value: "N",
      summary: "The newest N errors (default 20)",
    },
    ...BUDGET_OPTIONS,
    "max-tokens": {
      ...BUDGET_OPTIONS["max-tokens"],
      summary: "At most that much, with shorter samples (4 bytes each)",
    },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux errors", "What went wrong in any task"],
    ["taskmux errors api --since 10m", "In one task, lately"],
    ["taskmux errors --json --max-tokens 800", "For an agent"],
  ],
  async run(context, { values, positionals }) {
    const { config } = projectScope(context);
    const nowMs = systemClock.now();
    const query = {
      tasks: [...positionals],
      since: pointInTime("since", values.since, nowMs),
      until: pointInTime("until", values.until, nowMs),
      groups: wholeNumber("groups", values.groups, { max: MAX_GROUPS }) ??
        DEFAULT_GROUPS,
      max_bytes: null,
    };
    const maxBytes = budgetBytes(values);
    return await readFromPlace(
      context,
      { values: ownPlace(values), config },
      async (cursor) => {
        const answer = await read(context, config, { ...query, cursor });
        if (answer === null) return { ...NOWHERE, exit: EXIT.interrupted };
        await print(context, answer, { maxBytes, nowMs });
        return answer;
      },
    );
  },
});

/** A name stands for two places, so that reading logs does not move what was told of errors. */
function ownPlace(values: PlaceValues): PlaceValues {
  const name = values["cursor-name"];
  return {
    cursor: values.cursor,
    "cursor-name": name === null ? null : `${name}:errors`,
  };
}

async function print(
  { output }: Context,
  answer: ErrorAnswer,
  { maxBytes, nowMs }: {
    readonly maxBytes: number | null;
    readonly nowMs: number;
  },
): Promise<void> {
  const render = (fitted: ErrorAnswer) =>
    errorDigestLines(fitted, { paint: output.paint, nowMs });
  const text = (fitted: ErrorAnswer) =>
    output.json ? JSON.stringify(fitted) : render(fitted).join("\n");
  const fitted = maxBytes === null ? answer : fitErrors(
    answer,
    maxBytes,
    (each) => new TextEncoder().encode(text(each)).length + 1,
  );
  await output.answer(fitted, () => render(fitted));
}

/** What is asked, whoever answers. */
interface Query {
  readonly tasks: string[];
  readonly since: string | null;
  readonly until: string | null;
  readonly cursor: string | null;
  readonly groups: number;
  readonly max_bytes: null;
}

/** The daemon digests what is short; the rest is read here, where nobody else has to wait. Null after Ctrl-C. */
async function read(
  context: Context,
  config: string,
  query: Query,
): Promise<ErrorAnswer | null> {
  const answer = await askDaemon(context, config, { ...query, wholly: true });
  if (answer !== null && answer.scanned.skipped_bytes === 0) return answer;
  const { readErrors } = await import("../../offline/errors.ts");
  const { recordRedactor } = await import("../redaction.ts");
  const { withSearchMeter } = await import("../search_meter.ts");
  try {
    const secrets = await recordRedactor(context, config);
    return await withSearchMeter(context.output, (meter, signal) => {
      const onProgress = meter.update.bind(meter);
      const params = { config, ...query, secrets, onProgress, signal };
      return readErrors(context, params);
    });
  } catch (error) {
    if (answer === null || !isConfigError(error)) throw error;
    // Only the daemon still knows the project as it was before its file broke.
    return await askDaemon(context, config, { ...query, wholly: false }) ??
      answer;
  }
}

/** Null if there is no daemon, or none that answers. */
async function askDaemon(
  context: Context,
  config: string,
  query: Query & { readonly wholly: boolean },
): Promise<Result<"log.errors"> | null> {
  try {
    await using client = await findDaemon(context);
    if (client === null) return null;
    return await ask(client, "log.errors", { scope: { config }, ...query });
  } catch (error) {
    const isSilent = error instanceof TaskmuxError && error.code === "E600";
    if (isSilent) return null;
    throw error;
  }
}

function isConfigError(error: unknown): boolean {
  return error instanceof TaskmuxError &&
    ERROR_CODES[error.code].exit === EXIT.config;
}
