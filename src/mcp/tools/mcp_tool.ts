/**
 * A call of a tool, from the client's arguments to its answer: what the connection may do, which project is meant, the
 * operation, and what is new.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { systemClock } from "../../kit/clock.ts";
import type { FrameContext } from "../../transports/socket_server.ts";
import type { McpTool, ToolContext } from "../catalogue.ts";
import type { Connection } from "../connection.ts";
import type { CallToolResult } from "../sdk.ts";
import { shownJson, shownText } from "../shown_text.ts";
import { TaskProgress } from "../task_progress.ts";
import { readArguments } from "./arguments.ts";
import { newsOf } from "./compact_event.ts";
import { projectWords } from "./list_projects.ts";
import {
  errorBrief,
  missingSession,
  pinViolation,
  readOnly,
} from "./refusal.ts";
import type { AnyTool, Brief } from "./tool.ts";

/** Characters of a connection's id by which the log tells it from others. */
const ID_LENGTH = 8;

/** The tool for connections that are pinned to a project, or are not, and may act, or may only look. */
export function mcpTool(
  tool: AnyTool,
  { isPinned, isReadOnly }: {
    readonly isPinned: boolean;
    readonly isReadOnly: boolean;
  },
): McpTool {
  return {
    declaration: tool.declare({ isPinned }),
    isHidden: isReadOnly && tool.isActing,
    call: (args, context) => callTool(tool, args, context),
  };
}

async function callTool(
  tool: AnyTool,
  given: Readonly<Record<string, unknown>>,
  context: ToolContext,
): Promise<CallToolResult> {
  const { connection } = context;
  const isPinned = connection.access.pin !== null;
  const view = { isPinned, now: systemClock.now() };
  try {
    if (connection.access.isReadOnly && tool.isActing) {
      throw readOnly(tool.name);
    }
    const args = readArguments(tool, given);
    const session = sessionOf(connection, args["session"]);
    if (session === null && tool.reach === "one") {
      return await askWhich(tool, context);
    }
    const scope = session === null ? undefined : { session };
    const result = await connection.dispatcher.call(
      tool.operation,
      tool.params(args, scope),
      frameContext(context),
    );
    const now = systemClock.now();
    const brief = tool.brief(result, { args, session, isPinned, now });
    return answer(brief, newsOf(result, { isPinned, now }));
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return answer(errorBrief(error), newsOf({ ...error.recent }, view));
  }
}

/** The project that is meant; null = none is named. */
function sessionOf(
  { access: { pin } }: Connection,
  requested: unknown,
): string | null {
  const named = typeof requested === "string" ? requested.trim() : "";
  if (pin === null) return named === "" ? null : named;
  if (named !== "" && named !== pin) throw pinViolation(pin, named);
  return pin;
}

/** No project is named: answers which there are, so that the next call can name one. */
async function askWhich(
  tool: AnyTool,
  context: ToolContext,
): Promise<CallToolResult> {
  const result = await context.connection.dispatcher.call(
    "project.list",
    {},
    frameContext(context),
  );
  // The result of that operation.
  const { projects } = result as unknown as Result<"project.list">;
  const sessions = Object.fromEntries(
    projects.map((project) => [project.session, projectWords(project)]),
  );
  const view = { isPinned: false, now: systemClock.now() };
  return answer(
    errorBrief(missingSession(tool.name, sessions)),
    newsOf(result, view),
  );
}

function frameContext(context: ToolContext): FrameContext {
  const { connection, signal } = context;
  const { caller, lifetime, access: { pin } } = connection;
  const progress = new TaskProgress();
  return {
    caller,
    reveal: false,
    signal,
    lifetime,
    onNews: (settle) => context.onNews(settle),
    onProgress: (told) => context.onProgress(progress.next(told)),
    label: labelOf(connection),
    ...pin === null ? {} : { newsOf: pin },
  };
}

/** Who asks: the client as it calls itself, and its connection. */
function labelOf(
  { caller, access: { pin, isReadOnly }, clientName }: Connection,
): string {
  const id = caller.replace(/^mcp-/, "").slice(0, ID_LENGTH);
  const where = pin === null ? "" : ` pin ${pin}`;
  const how = isReadOnly ? " read" : "";
  return `mcp ${clientName() ?? "unnamed"} (${id}${where}${how})`;
}

function answer(
  brief: Brief,
  news: ReturnType<typeof newsOf>,
): CallToolResult {
  const { structured, text, isFailure = false } = brief;
  const said = { ...structured, ...news.structured };
  return {
    content: [{
      type: "text",
      text: [text, ...news.lines].map(shownText).join("\n"),
    }],
    structuredContent: Object.fromEntries(
      Object.entries(said).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, shownJson(value)]]
      ),
    ),
    ...isFailure ? { isError: true } : {},
  };
}
