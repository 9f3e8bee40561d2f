/**
 * What happens next to a task, and what its user can do.
 *
 * @module
 */

import { formatDuration } from "../kit/duration.ts";
import { tunnelRemedy } from "./_why_tunnel.ts";
import { failuresNeeded, hasProbe } from "./task_health.ts";
import type { WhyFacts, WhyNext, WhyTask } from "./why_facts.ts";

/** Longest time that a hook may take, as it is told. */
const HOOK_LIMIT = "30 s";

/** Most programs have started by then. */
const USUAL_START_MS = 10_000;

/** The next step of taskmux and of the user. @param culprit The task that is waited for in the end. */
export function nextStep(facts: WhyFacts, culprit: string | null): WhyNext {
  const { task, watcher } = facts;
  const { name } = task.spec;
  if (watcher === "kept" || watcher === "silent") {
    return {
      taskmux: "nothing: no daemon runs that could",
      you: "taskmux daemon start",
    };
  }
  const isDone = task.snapshot.state === "completed";
  if (watcher === "nobody" && !isDone) {
    return {
      taskmux: "nothing: no daemon runs that could",
      you: task.snapshot.state === "failed"
        ? remedy(task, culprit) ?? `taskmux start ${name}`
        : `taskmux start ${name}`,
    };
  }
  if (facts.configError !== null && task.snapshot.run === null) {
    return { taskmux: byItself(facts), you: "taskmux check" };
  }
  return { taskmux: byItself(facts), you: byHand(facts, culprit) };
}

function byItself({ task, now }: WhyFacts): string {
  const { snapshot, spec, machine } = task;
  switch (snapshot.state) {
    case "stopped":
      if (machine.manual) {
        return "nothing: stopped by hand it stays down until it is started";
      }
      return spec.startOnRequest ? ON_REQUEST : "nothing until it is started";
    case "completed":
      return spec.startOnRequest ? ON_REQUEST : "nothing: it has done its work";
    case "failed":
      return "nothing until it is started";
    case "waiting": {
      const names = snapshot.waitingFor.map((each) => each.task);
      return `starts it as soon as ${names.join(" and ")} allow${
        names.length === 1 ? "s" : ""
      } it`;
    }
    case "backoff":
      return `starts it again in ${formatDuration(snapshot.restartInMs ?? 0)}`;
    case "stopping":
      return stoppingStep(task);
    case "starting":
      return startingStep(task, now);
    case "unhealthy":
      return unhealthyStep(task);
    case "running":
    case "healthy":
      return `${
        hasProbe(spec.health, snapshot.run?.port ?? null)
          ? `probes it every ${formatDuration(spec.health.intervalMs)}, `
          : ""
      }${restartRule(task)}`;
  }
}

const ON_REQUEST = "starts it with the next request for its host";

function restartRule({ spec: { restart } }: WhyTask): string {
  switch (restart.policy) {
    case "no":
      return 'does not restart it (restart_policy = "no")';
    case "always":
      return "restarts it whenever it ends";
    case "on-failure":
      return "restarts it if it fails";
  }
}

function startingStep(
  { machine, snapshot, spec }: WhyTask,
  now: number,
): string {
  const { phase } = machine;
  if (phase.status === "preparing") {
    return `spawns it when its before_start hook is done (${HOOK_LIMIT} at most)`;
  }
  const { run } = snapshot;
  if (phase.status !== "running" || run === null) return "spawns it now";
  const { bootGraceMs, intervalMs } = spec.health;
  const graceLeftMs = run.startedAt + bootGraceMs - now;
  const often = "probes it several times a second until it is healthy";
  if (graceLeftMs > 0) {
    return `${often}; failures count after another ${
      formatDuration(graceLeftMs)
    } (boot_grace)`;
  }
  const left = failuresNeeded(spec.health) - phase.health.failures;
  return `${often}; calls it unhealthy after ${left} more failed probe${
    left === 1 ? "" : "s"
  }, one counts each ${formatDuration(intervalMs)}`;
}

function unhealthyStep({ machine, spec }: WhyTask): string {
  const often = `probes it every ${formatDuration(spec.health.intervalMs)}`;
  if (machine.gaveUp) return `${often}, restarts it no more`;
  if (spec.restart.policy === "no") {
    return `${often}, does not restart it (restart_policy = "no")`;
  }
  const { phase } = machine;
  const failures = phase.status === "running" ? phase.health.failures : 0;
  const left = Math.max(1, failuresNeeded(spec.health) - failures);
  return `${often}, restarts it after ${left} more failed probe${
    left === 1 ? "" : "s"
  }`;
}

function stoppingStep({ machine, spec }: WhyTask): string {
  const { phase } = machine;
  if (phase.status !== "stopping") return "ends it";
  const then = phase.restartAfterMs === null ? "" : ", then starts it again";
  if (phase.kind === "lost") return `ends what is left of it${then}`;
  switch (phase.stage) {
    case "before":
      return `ends it when its before_stop hook is done (${HOOK_LIMIT} at most)${then}`;
    case "signals":
      return phase.kind === "kill"
        ? `ends it with SIGKILL${then}`
        : `ends it with ${spec.stopSignal}, SIGTERM after ${
          formatDuration(spec.stopGraceMs)
        }, SIGKILL 3s later${then}`;
    case "after":
      return `waits for its after_stop hook (${HOOK_LIMIT} at most)${then}`;
  }
}

/** Whether a probe fails longer than starting usually takes. */
function isLate(
  { snapshot: { run, lastHealth } }: WhyTask,
  now: number,
): boolean {
  return run !== null && lastHealth?.ok === false &&
    now - run.startedAt > USUAL_START_MS;
}

function byHand(facts: WhyFacts, culprit: string | null): string | null {
  const { task, now } = facts;
  const { snapshot, spec: { name }, machine } = task;
  switch (snapshot.state) {
    case "stopped":
      return `taskmux start ${name}`;
    case "completed":
      return null;
    case "failed":
      return remedy(task, culprit) ?? `taskmux logs ${name}`;
    case "waiting":
      return culprit === null ? null : `taskmux why ${culprit}`;
    case "backoff":
    case "unhealthy":
      return `taskmux logs ${name}`;
    case "stopping":
      return machine.phase.status === "stopping" &&
          machine.phase.kind === "kill"
        ? null
        : `taskmux kill ${name}`;
    case "starting":
      return isLate(task, now)
        ? `taskmux logs ${name}`
        : `taskmux wait ${name}`;
    case "running":
    case "healthy":
      return snapshot.configChanged
        ? `taskmux restart ${name}`
        : tunnelRemedy(facts);
  }
}

/** The command that shows, or does away with, what made a task fail. */
function remedy(
  { machine, spec: { name, cwd } }: WhyTask,
  culprit: string | null,
): string | null {
  const { error } = machine;
  const port = error?.details?.["port"];
  switch (error?.error_code) {
    case "E214":
      return typeof port === "number" ? `taskmux who ${port}` : null;
    case "E402":
      return culprit === null ? null : `taskmux why ${culprit}`;
    case "E400":
    case "E401":
      return `taskmux start ${name}`;
    case "E213":
      return `mkdir -p ${cwd}`;
    default:
      return null;
  }
}
