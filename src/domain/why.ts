/**
 * Why a task is in the state it is in: the evidence in the order in which it decides, and what comes next. Pure.
 *
 * @module
 */

import { dependencyChain } from "./_why_dependencies.ts";
import {
  ago,
  backoffLink,
  configLink,
  errorLink,
  eventsLink,
  exitLink,
  hookLink,
  linkAt,
  portLink,
  probeLink,
  restartsLink,
  runLink,
  wishLink,
} from "./_why_links.ts";
import { tunnelLink } from "./_why_tunnel.ts";
import { nextStep } from "./_why_next.ts";
import { stateText } from "./task_state.ts";
import type { Explanation, Watcher, WhyFacts, WhyLink } from "./why_facts.ts";

/** Explains a task. No link is told twice, and none without its facts. */
export function explainTask(facts: WhyFacts): Explanation {
  const { task } = facts;
  const dependencies = dependencyChain(facts);
  const decisive = present([
    watcherLink(facts),
    ...stateLinks(facts, dependencies.links),
  ]);
  const told = new Set(decisive.map(({ kind }) => kind));
  // The pause before a restart tells the count.
  if (told.has("backoff")) told.add("restarts");
  const rest = present([
    configLink(facts),
    hookLink(facts),
    wishLink(facts),
    restartsLink(task),
    tunnelLink(facts),
    eventsLink(facts),
  ]).filter(({ kind }) => !told.has(kind));
  const chain = [...decisive, ...rest];
  return {
    summary: summaryOf(facts, chain),
    chain,
    next: nextStep(facts, dependencies.culprit),
  };
}

function present(links: readonly (WhyLink | null)[]): WhyLink[] {
  return links.filter((link) => link !== null);
}

function summaryOf({ task }: WhyFacts, chain: readonly WhyLink[]): string {
  const { spec: { name }, snapshot: { state, run } } = task;
  const isOffline = chain[0]?.kind === "daemon";
  const [first, second] = isOffline ? chain.slice(1) : chain;
  const where = isOffline && run === null ? " (no daemon runs)" : "";
  const head = `Task "${name}" is ${stateText(state)}${where}`;
  if (first === undefined) return head;
  // Who else has the port, or whom the other one waits for, is more than half of such an answer.
  const isPair = (first.kind === "probe" && second?.kind === "port") ||
    (first.kind === "dependency" && second?.kind === "dependency") ||
    second?.kind === "backoff";
  // A refused connection says by itself that nobody listens.
  const isNews = second !== undefined && !first.text.endsWith(second.text);
  const more = isPair && isNews ? `; ${second.text}` : "";
  return `${head}: ${first.text}${more}`;
}

/** What decides in this very state, the most decisive first. */
function stateLinks(
  facts: WhyFacts,
  dependencies: readonly WhyLink[],
): readonly (WhyLink | null)[] {
  const { task, now, lines } = facts;
  const { snapshot, machine } = task;
  switch (snapshot.state) {
    case "waiting":
      return dependencies;
    case "failed":
      return failedLinks(facts, dependencies);
    case "backoff":
      return [causeOfRestart(facts), backoffLink(task), startError(facts)];
    case "completed":
      return [exitLink(task, { now })];
    case "stopped":
      return machine.desired === "up" || machine.manual
        ? [hookLink(facts), wishLink(facts), exitLink(task, { now, lines })]
        : [hookLink(facts), wishLink(facts)];
    case "stopping":
      return [stageLink(facts), runLink(task, now)];
    case "starting":
      return [
        stageLink(facts),
        probeLink(task, now),
        portLink(facts),
        ...runLinks(facts),
      ];
    case "unhealthy":
      return [
        probeLink(task, now),
        portLink(facts),
        restartsLink(task),
        ...runLinks(facts),
      ];
    case "healthy":
      return [probeLink(task, now), runLink(task, now)];
    case "running":
      return runLinks(facts);
  }
}

/** The present run, after what made it necessary. */
function runLinks(facts: WhyFacts): readonly (WhyLink | null)[] {
  const { task, now, lines } = facts;
  if (task.snapshot.restartCount === 0) return [runLink(task, now, lines)];
  const isForeign = unhealthyBefore(facts) === null;
  return [runLink(task, now), exitLink(task, { now, lines, isForeign })];
}

function failedLinks(
  facts: WhyFacts,
  dependencies: readonly WhyLink[],
): readonly (WhyLink | null)[] {
  const { task, now, lines } = facts;
  const { error, gaveUp } = task.machine;
  const restarts = gaveUp ? restartsLink(task) : null;
  if (error === null || error.error_code === "E403") {
    const isExit = typeof error?.details?.["exit_code"] === "number";
    const exit = exitLink(task, { now, lines, isForeign: isExit });
    return isExit && exit !== null ? [exit, restarts] : [
      error ? errorLink(error, task) : unhealthyBefore(facts),
      restarts,
      exit,
    ];
  }
  switch (error.error_code) {
    case "E402":
      return [...dependencies, errorLink(error, task), restarts];
    case "E214":
      return [errorLink(error, task), portLink(facts), restarts];
    default:
      return [errorLink(error, task), restarts];
  }
}

/** Why the restart that is waited for was decided: the probes that failed, else the exit. */
function causeOfRestart(facts: WhyFacts): WhyLink | null {
  const { task, now, lines } = facts;
  return unhealthyBefore(facts) ??
    exitLink(task, { now, lines, isForeign: true });
}

/** The failed probes that ended the last run, if those did; as the history has them. */
function unhealthyBefore({ history, now }: WhyFacts): WhyLink | null {
  const cause = history.recent.findLast(({ event }) =>
    event === "auto_restart" || event === "max_restarts_reached"
  );
  const probe = history.recent.findLast(({ event }) =>
    event === "task_unhealthy"
  );
  const exit = history.recent.findLast(({ event }) => event === "task_exited");
  if (probe === undefined || cause === undefined) return null;
  const byProbe = cause["reason"] === "health_retries_exceeded" ||
    (cause.event === "max_restarts_reached" && probe.seq > (exit?.seq ?? 0));
  if (!byProbe) return null;
  const at = Date.parse(probe.ts);
  return linkAt("probe", [at, now], {
    text: `${String(probe["method"])} probe failed ${ago(at, now)}: ${
      String(probe["reason"])
    }`,
    method: String(probe["method"]),
    ok: false,
  });
}

/** An automatic restart that failed before there was a process. */
function startError({ task }: WhyFacts): WhyLink | null {
  const { error } = task.machine;
  return error === null || error.error_code === "E403"
    ? null
    : errorLink(error, task);
}

/** How far a start or a stop has come. */
function stageLink({ task }: WhyFacts): WhyLink | null {
  const { machine, spec } = task;
  const { phase, error } = machine;
  switch (phase.status) {
    case "preparing":
      return spec.hooks.before_start === undefined ? null : {
        kind: "stage",
        text: `its before_start hook runs: ${spec.hooks.before_start}`,
      };
    case "spawning":
      return { kind: "stage", text: "its process is being spawned" };
    case "stopping":
      if (error !== null) return errorLink(error, task);
      if (phase.kind === "lost") {
        return {
          kind: "keeper",
          text:
            "taskmux's keeper died; what is left of the task is being ended",
        };
      }
      return {
        kind: "stage",
        text: `${STOP_CAUSES[phase.kind]}; ${STOP_STAGES[phase.stage]}`,
      };
    default:
      return null;
  }
}

const STOP_CAUSES = {
  stop: "somebody stops it",
  kill: "somebody kills it",
  restart: "it is being restarted",
  auto: "it failed its probes and is being restarted",
  shutdown: "the daemon or its project ends",
} as const;

const STOP_STAGES = {
  before: "its before_stop hook runs",
  signals: "not all of its processes are gone yet",
  after: "its after_stop hook runs",
} as const;

/** Who is not there to act; null when all are. */
function watcherLink(
  { watcher, task: { snapshot } }: WhyFacts,
): WhyLink | null {
  const text = WATCHERS[watcher];
  if (text === null) return null;
  const kind = watcher === "alone" ? "keeper" : "daemon";
  const isKept = watcher === "kept" && snapshot.run !== null;
  return {
    kind,
    text: isKept
      ? `${text}; the task runs on as pid ${snapshot.run.pid}`
      : text,
  };
}

const WATCHERS: Readonly<Record<Watcher, string | null>> = {
  daemon: null,
  alone: "taskmux's keeper does not answer, so what runs is not known",
  kept: "no daemon runs, only its keeper: nobody watches over the tasks",
  silent:
    "no daemon runs, and its keeper does not answer: tasks may still run unwatched",
  nobody: "no daemon runs, so nothing of taskmux does",
};
