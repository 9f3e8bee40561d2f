/**
 * What it costs an agent to know a manager, and to have its everyday questions answered there.
 *
 * @module
 */

import { freePort } from "../../tests/support/free_port.ts";
import { until } from "../../tests/support/until.ts";
import {
  AgentProject,
  agentTasks,
  FRESH_LINES,
  PROBE_WORDS,
} from "../harness/agent_project.ts";
import { bytesOf, type Cost, counted, TOKEN_BYTES } from "../harness/asking.ts";
import type { McpSession } from "../harness/mcp_client.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import {
  type AgentSession,
  type AgentSubject,
  type QuestionName,
  QUESTIONS,
} from "../subjects/agents/agent_subject.ts";
import { agentSubjects } from "../subjects/agents/find_agents.ts";

/** The bars: tokens of the list of tools, and of the state of 20 tasks. */
const TOOLS_TOKENS = 1_500;
const STATUS_TOKENS = 400;

/** Where the crash is in the source. */
const PLACE = /agent_project\.py\\?"?(?:, line |:|,"line":)\d+/;

/** The jobs that failed in the noisy task. */
const FAILED_JOBS = [2_000, 4_000, 6_000, 8_000, 9_000];

/** How long something asked for may take to be done. */
const SOON_MS = 10_000;

type Verdict = "yes" | "partly" | "no";

interface Answered extends Cost {
  readonly verdict: Verdict;
}

/** What one manager costs. */
interface Side {
  readonly subject: AgentSubject;
  /** Bytes of the result of `tools/list`, and how many tools there are; null without MCP. */
  tools: { readonly count: number; readonly bytes: number } | null;
  readonly answers: Map<QuestionName, Answered>;
}

/** The scenario. */
export const agentTokens: Scenario = { name: "agent_tokens", run };

async function run(context: BenchContext): Promise<Section> {
  const sides: Side[] = [];
  const failures: string[] = [];
  for (const subject of agentSubjects(context)) {
    context.tell(subject.name);
    const side: Side = { subject, tools: null, answers: new Map() };
    sides.push(side);
    const failure = await failureOf(subject, context.signal, async () => {
      const port = freePort();
      await using session = await subject.open(
        agentTasks(port),
        context.signal,
      );
      await measure(side, session, port);
    });
    if (failure !== null) failures.push(failure);
  }
  return report(sides, failures);
}

async function measure(
  side: Side,
  session: AgentSession,
  apiPort: number,
): Promise<void> {
  const project = new AgentProject(session.sandbox, apiPort);
  await session.start();
  await using mcp = await session.connect?.() ?? null;
  if (mcp !== null) side.tools = await toolsOf(mcp);
  await project.settled();
  const ways = session.ways();
  for (const name of Object.keys(QUESTIONS) as QuestionName[]) {
    if (name === "fresh") {
      await counted(session, mcp, ways.look);
      await project.print(FRESH_LINES);
    }
    if (name === "happened") await project.kill("api");
    const starts = await project.webStarts();
    const cost = await counted(session, mcp, ways[name]);
    const verdict = await verdictOf(name, cost.text, { project, starts });
    side.answers.set(name, { ...cost, verdict });
    if (await project.webStarts() > starts && !await project.isWebReady()) {
      await until(() => project.isWebReady(), { what: "web is ready" });
    }
  }
}

async function toolsOf(
  mcp: McpSession,
): Promise<{ readonly count: number; readonly bytes: number }> {
  const result = await mcp.request("tools/list");
  const { tools } = result as { readonly tools: readonly unknown[] };
  return { count: tools.length, bytes: bytesOf(JSON.stringify(result)) };
}

interface Seen {
  readonly project: AgentProject;
  /** How often web had been started before the question. */
  readonly starts: number;
}

/** Whether what the model read answers the question, or what was to be done is done. */
async function verdictOf(
  name: QuestionName,
  text: string,
  { project, starts }: Seen,
): Promise<Verdict> {
  switch (name) {
    case "runs":
      return when(["api", "billing", "search", "worker", "web", "t014"]
        .every((task) => text.includes(task)));
    case "where":
      return when(
        /running|healthy/i.test(text) && text.includes(String(project.apiPort)),
      );
    case "broke":
      return when(/KeyError: 'customer'/.test(text) && PLACE.test(text));
    case "errors": {
      const jobs = FAILED_JOBS.filter((job) => text.includes(`job ${job} `));
      const isCounted = /ledger refuses/.test(text) && /\b5x?\b/.test(text);
      return when(jobs.length === FAILED_JOBS.length || isCounted);
    }
    case "fresh": {
      const hasAll = FRESH_LINES.every((line) => text.includes(line));
      // What it was told before, and now has to tell apart by itself.
      const isMixed = /job 9\d{3} done/.test(text);
      return hasAll ? isMixed ? "partly" : "yes" : "no";
    }
    case "start":
      return when(await project.isWebReady());
    case "restart":
      return when(await comes(async () => await project.webStarts() > starts));
    case "unhealthy":
      // That something is wrong is not why.
      if (text.includes(PROBE_WORDS)) return "yes";
      return /unhealthy|not ready|check fail/i.test(text) ? "partly" : "no";
    case "happened":
      return when(/api[^]{0,300}(?:killed|exited|crashed|SIGKILL)/i.test(text));
    case "stop":
      return when(await comes(async () => await project.living() === 0));
  }
}

function when(isSo: boolean): Verdict {
  return isSo ? "yes" : "no";
}

/** Whether something becomes true soon. */
async function comes(condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + SOON_MS;
  while (performance.now() < deadline) {
    if (await condition()) return true;
  }
  return false;
}

function report(sides: readonly Side[], failures: readonly string[]): Section {
  const names = Object.keys(QUESTIONS) as QuestionName[];
  const [own] = sides;
  return {
    title: "What agents pay",
    how: "20 tasks: a web service, one that crashed with a stack trace, one " +
      "whose probe fails, one that printed 10 000 lines with five errors, one " +
      "not yet started, 15 idle. Each manager is asked over what it offers " +
      "agents, in the cheapest way known that answers. A token counts " +
      `${TOKEN_BYTES} bytes of the text that the model reads, of all calls of ` +
      "a question together; in brackets the bytes of that text and of the " +
      "whole results, which say the same again where a server gives " +
      "structured content. Whether it is an answer is judged by a program: " +
      "the crash must come with the exception and the line of the source, new " +
      "lines partly count if old ones are among them, the reason of an " +
      "unhealthy task is what its probe printed.",
    columns: [
      "",
      ...sides.map(({ subject }) => subject.name),
    ],
    rows: [
      ["offers", ...sides.map(({ subject }) => subject.offers)],
      ["tools, tokens of `tools/list`", ...sides.map(toolsText)],
      ...names.map((name) => [
        QUESTIONS[name],
        ...sides.map(({ answers }) => answerText(answers.get(name))),
      ]),
      ["all ten", ...sides.map(totalText)],
    ],
    bars: [
      bar("`tools/list`", (own?.tools?.bytes ?? NaN) / TOKEN_BYTES, {
        atMost: TOOLS_TOKENS,
      }, "tokens"),
      bar(
        "status of 20 tasks",
        (own?.answers.get("runs")?.textBytes ?? NaN) / TOKEN_BYTES,
        { atMost: STATUS_TOKENS },
        "tokens",
      ),
    ],
    remarks: failures,
  };
}

function toolsText({ tools }: Side): string {
  if (tools === null) return "none";
  const { count, bytes } = tools;
  return `${count}, ${(bytes / TOKEN_BYTES).toFixed(0)} (${bytes} bytes)`;
}

function answerText(answered: Answered | undefined): string {
  if (answered === undefined) return "–";
  const { verdict, calls, textBytes, wholeBytes } = answered;
  const word = verdict === "yes" ? "yes" : `**${verdict}**`;
  const tokens = (textBytes / TOKEN_BYTES).toFixed(0);
  return `${word}, ${calls} ×, ${tokens} (${textBytes}, ${wholeBytes})`;
}

function totalText({ answers }: Side): string {
  const all = [...answers.values()];
  const yes = all.filter(({ verdict }) => verdict === "yes").length;
  const calls = all.reduce((sum, answer) => sum + answer.calls, 0);
  const bytes = all.reduce((sum, { textBytes }) => sum + textBytes, 0);
  return `${yes} answered, ${calls} ×, ${(bytes / TOKEN_BYTES).toFixed(0)}`;
}
