/**
 * Whom a task waits for, and why those are not there yet.
 *
 * @module
 */

import { formatDuration } from "../kit/duration.ts";
import { quote } from "./_why_links.ts";
import { unansweredText } from "./task_health.ts";
import { stateText } from "./task_state.ts";
import type { DependencyCondition } from "./task_spec.ts";
import type { WhyFacts, WhyLink, WhyTask } from "./why_facts.ts";

/** Links about dependencies in one explanation. */
const LINKS_MAX = 6;

/** The dependencies of a task and what is said of them. */
export interface DependencyChain {
  readonly links: readonly WhyLink[];
  /** The task at the root of it: the first that waits for nobody. Null = it is not there at all. */
  readonly culprit: string | null;
}

interface Wanted {
  readonly task: string;
  readonly condition: DependencyCondition;
}

/**
 * Follows the dependencies that are waited for, or that made the task fail, to those who wait for nobody. Each task is
 * told once, whatever rings there are; at most {@linkcode LINKS_MAX} links.
 */
export function dependencyChain(facts: WhyFacts): DependencyChain {
  const links: WhyLink[] = [];
  const seen = new Set([facts.task.spec.name]);
  let culprit: string | null = null;
  const visit = (waiter: WhyTask): void => {
    for (const wanted of missing(waiter)) {
      if (seen.has(wanted.task)) continue;
      seen.add(wanted.task);
      const other = facts.find(wanted.task);
      if (links.length < LINKS_MAX) {
        const name = waiter === facts.task ? "it" : waiter.spec.name;
        links.push(dependencyLink([name, waiter], wanted, other));
      }
      if (other !== null && missing(other).length > 0) visit(other);
      else culprit ??= wanted.task;
    }
  };
  visit(facts.task);
  return { links, culprit };
}

/** The dependencies that a task lacks. */
function missing({ snapshot, machine, spec }: WhyTask): readonly Wanted[] {
  if (snapshot.state === "waiting") return snapshot.waitingFor;
  const { error, phase } = machine;
  if (phase.status !== "failed" || error?.error_code !== "E402") return [];
  const name = error.details?.["dependency"];
  return spec.dependsOn.filter(({ task }) => task === name);
}

function dependencyLink(
  [name, waiter]: readonly [name: string, waiter: WhyTask],
  { task, condition }: Wanted,
  other: WhyTask | null,
): WhyLink {
  const verb = waiter.snapshot.state === "waiting" ? "waits for" : "needed";
  const head = `${name} ${verb} ${task} (${condition})`;
  if (other === null) {
    return {
      kind: "dependency",
      text: `${head}, which does not exist`,
      task,
      condition,
    };
  }
  const { state, reason, restartInMs, lastHealth } = other.snapshot;
  const output = lastHealth?.ok === false ? lastHealth.output : undefined;
  const soon = restartInMs === null
    ? ""
    : `; restarts in ${formatDuration(restartInMs)}`;
  return {
    kind: "dependency",
    text: `${head}, which is ${stateText(state)}${
      because(other, reason)
    }${soon}`,
    task,
    condition,
    state,
    ...output === undefined ? {} : { output: quote(output, other) },
  };
}

function because({ snapshot, spec }: WhyTask, reason: string | null): string {
  if (reason !== null) return `: ${reason}`;
  if (snapshot.state === "waiting") return " itself";
  if (snapshot.state === "starting") {
    return `: ${unansweredText(spec.health)}`;
  }
  return snapshot.state === "stopped" && snapshot.manual ? " by hand" : "";
}
