/**
 * `taskmux tunnel logs`
 *
 * @module
 */

import { EXIT } from "../../../domain/error_codes.ts";
import { parseRequestLine } from "../../../domain/request_line.ts";
import type { TunnelLogQuestion } from "../../../offline/tunnel_logs.ts";
import { systemClock } from "../../../kit/clock.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { pointInTime, wholeNumber } from "../../option_value.ts";
import { projectScope } from "../../project.ts";
import { LogPrinter, type PrintedRecord } from "../../render/logs.ts";

/** Lines of an answer unless told; with `-f` shown before following. */
const DEFAULT_LINES = 50;
const DEFAULT_FOLLOW_LINES = 10;

/** Most lines of an answer: they are held in memory. */
const MAX_LINES = 10_000;

/** Shows what the programs of tunnels print, or who asked for what. */
export const tunnelLogs = command({
  usage: "[TASK|BACKEND] [-f] [-n N] [--requests] [--since WHEN] [-g REGEXP]",
  about:
    "What cloudflared, ngrok and tailscale print; with --requests every request from outside:\n" +
    "method, path, status, passed or refused, time, visitor. Stays when the tunnel is closed,\n" +
    "and works without a daemon.",
  options: {
    follow: {
      type: "boolean",
      short: "f",
      summary: "Go on with new lines until Ctrl-C",
    },
    lines: {
      type: "string",
      short: "n",
      value: "N",
      summary: "The last N (default 50, with -f 10)",
    },
    requests: { type: "boolean", summary: "The requests from outside" },
    since: { type: "string", value: "WHEN", summary: "Only from then on" },
    grep: {
      type: "string",
      short: "g",
      value: "REGEXP",
      summary: "Only lines that match; an upper-case letter minds case",
    },
  },
  positionals: { min: 0, max: 1 },
  examples: [
    ["taskmux tunnel logs cloudflare", "What cloudflared prints"],
    ["taskmux tunnel logs web --requests -f", "Watch who comes"],
  ],
  async run(context, { values, positionals: [name = null] }) {
    const { config } = projectScope(context);
    const usual = values.follow ? DEFAULT_FOLLOW_LINES : DEFAULT_LINES;
    const question = {
      config,
      name,
      requests: values.requests,
      lines: wholeNumber("lines", values.lines, { max: MAX_LINES }) ?? usual,
      grep: values.grep,
      since: pointInTime("since", values.since, systemClock.now()),
    };
    return values.follow
      ? await follow(context, question)
      : await read(context, question);
  },
});

async function read(
  context: Context,
  question: TunnelLogQuestion,
): Promise<number> {
  const { output } = context;
  const { readTunnelLogs } = await import("../../../offline/tunnel_logs.ts");
  const { recordRedactor } = await import("../../redaction.ts");
  const { files, records } = await readTunnelLogs(context, question);
  const redactor = await recordRedactor(context, question.config);
  const safe = redactor === null ? records : redactor.lines(records);
  const printer = printerOf(context, files.length);
  const list = question.requests ? "requests" : "lines";
  const answer = {
    ok: true,
    files,
    [list]: safe.map((record) => objectOf(record, question, printer)),
  };
  await output.answer(answer, () => printer.lines(safe));
  if (files.length === 0) {
    await output.notes([
      question.requests
        ? "Nothing has been asked for from outside yet"
        : "No program of a tunnel has printed anything yet",
    ]);
  }
  return EXIT.ok;
}

async function follow(
  context: Context,
  question: TunnelLogQuestion,
): Promise<number> {
  const { output } = context;
  const { followTunnelLogs } = await import("../../../offline/tunnel_logs.ts");
  const { safeLines } = await import("../../redaction.ts");
  const { signal } = new AbortController();
  const printer = printerOf(context, question.name === null ? 2 : 1);
  const reading = followTunnelLogs(context, question, signal);
  await output.warnEndless("taskmux tunnel logs -n 50 tells the last lines");
  for await (const record of safeLines(context, question.config, reading)) {
    if (output.json) {
      await output.value(objectOf(record, question, printer));
    } else await output.lines(printer.lines([record]));
    if (output.isClosed) break;
  }
  return EXIT.ok;
}

function printerOf({ output }: Context, sources: number): LogPrinter {
  return new LogPrinter({
    paint: output.paint,
    colours: output.isTerminal,
    withTask: sources !== 1,
  });
}

/** A line for a program; one of the request log in its parts. */
function objectOf(
  { ts, task, text }: PrintedRecord,
  { requests }: TunnelLogQuestion,
  printer: LogPrinter,
): object {
  const request = requests ? parseRequestLine(text, Date.parse(ts)) : null;
  if (request === null) return { ts, task, text: printer.text(text) };
  return {
    ts,
    task,
    method: request.method,
    path: request.path,
    status: request.status,
    verdict: request.verdict,
    duration_ms: request.durationMs,
    visitor: request.visitor,
    user_agent: request.userAgent,
  };
}
