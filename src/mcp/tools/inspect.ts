/**
 * `taskmux_inspect`
 *
 * @module
 */

import { z } from "zod";
import { contract, type Result } from "../../contract/mod.ts";
import { audienceOf } from "../../domain/tunnel.ts";
import type { Json } from "../../kit/json.ts";
import { shortAge, shortList, shortText } from "./short_text.ts";
import { type Brief, type BriefContext, defineTool } from "./tool.ts";

/** Past runs that are told. */
const MAX_RUNS = 3;

/** Characters of all facts together: text and structured content stay below 400 tokens. */
const FACTS_LENGTH = 620;

const { task } = contract["task.inspect"].params.shape;

/** See the module. */
export const inspect = defineTool({
  name: "inspect",
  operation: "task.inspect",
  description: "Command, process, health, runs and settings of a task",
  reach: "one",
  input: { task },
  output: { name: z.string(), state: z.string(), command: z.string() },
  params: ({ task }, scope) => ({ scope: scope!, task }),
  brief: inspectBrief,
});

type Inspected = Result<"task.inspect">;

type Facts = readonly (readonly [name: string, value: Json])[];

/** What a model asks for, and as much of the rest as fits. */
export function inspectBrief(
  result: Inspected,
  { now }: Pick<BriefContext<unknown>, "now">,
): Brief {
  const facts = [...stateFacts(result, now), ...settingFacts(result)]
    .filter(([, value]) => isTelling(value));
  const kept = leading(facts);
  const omitted = facts.slice(kept.length).map(([name]) => name);
  const rest: Facts = omitted.length === 0
    ? []
    : [["omitted", omitted.join(" ")]];
  const shown = [...kept, ...rest];
  return {
    structured: Object.fromEntries(shown),
    text: shown.map(([name, value]) => `${name}: ${valueText(value)}`)
      .join("\n"),
  };
}

function stateFacts(result: Inspected, now: number): Facts {
  const { started_at: startedAt, last_health: probe } = result;
  return [
    ["name", result.name],
    ["state", result.state],
    ["reason", result.reason === null ? null : shortText(result.reason, 160)],
    ["command", shortText(result.command, 120)],
    ["cwd", result.cwd],
    ["pid", result.pid],
    ["port", result.port],
    ["url", result.url],
    ["public", publicText(result)],
    ["up", startedAt === null ? null : shortAge(now / 1000 - startedAt)],
    ["exit_code", result.exit_code],
    ["health", probe === null ? null : healthText(probe, now)],
    ["depends_on", result.depends_on.join(" ")],
    ["waiting_for", result.waiting_for.map(({ task }) => task).join(" ")],
    ["restarts", result.restart_count],
    ["config_changed", result.config_changed],
    ["log_file", textOf(result["log_file"])],
    ["runs", runTexts(result["runs"], now)],
  ];
}

function settingFacts(result: Inspected): Facts {
  const { env, hooks, watch } = result;
  return [
    ["restart_policy", result.restart_policy],
    ["manual", result.manual],
    ["auto_start", result.auto_start],
    ["shared_from", result.shared_from],
    ["processes", Array.isArray(result["pids"]) ? result["pids"].length : 0],
    ["env", Object.keys(objectOf(env)).join(" ")],
    ["hooks", Object.keys(objectOf(hooks)).join(" ")],
    ["watch", Array.isArray(watch) ? watch.join(" ") : ""],
  ];
}

/** Where others reach it, who of them, and until when. */
function publicText({ tunnel, public_url: url }: Inspected): string | null {
  if (tunnel === null || url === null) return null;
  const until = tunnel.expires_at === null
    ? ""
    : `, until ${new Date(tunnel.expires_at * 1000).toISOString()}`;
  return `${shortText(url, 120)} (${audienceOf(tunnel)}${until})`;
}

function healthText(
  { ok, method, reason, at }: NonNullable<Inspected["last_health"]>,
  now: number,
): string {
  const age = shortAge(now / 1000 - at);
  const why = reason === null ? "" : `: ${shortText(reason, 120)}`;
  return `${ok ? "ok" : "failed"} by ${method} ${age} ago${why}`;
}

/** The newest runs that have ended. */
function runTexts(runs: unknown, now: number): Json {
  if (!Array.isArray(runs)) return null;
  const ended = runs.filter((run) => typeof run?.ended_at === "number");
  return shortList(
    ended.slice(0, MAX_RUNS).map((run) =>
      `exit ${run.exit_code} ${shortAge(now / 1000 - run.ended_at)} ago after ${
        shortAge(run.ended_at - run.started_at)
      }`
    ),
    { count: MAX_RUNS, length: 60 },
  );
}

/** Facts from the front, until the answer is full. */
function leading(facts: Facts): Facts {
  let length = 0;
  const at = facts.findIndex(([name, value]) =>
    (length += name.length + valueText(value).length + 6) > FACTS_LENGTH
  );
  return at === -1 ? facts : facts.slice(0, at);
}

/** False for what a task is by default. */
function isTelling(value: Json): boolean {
  return value !== null && value !== "" && value !== 0 && value !== false &&
    !(Array.isArray(value) && value.length === 0);
}

function valueText(value: Json): string {
  if (Array.isArray(value)) return value.join("; ");
  return String(value);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function objectOf(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}
