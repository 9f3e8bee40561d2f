/**
 * What must hold between keys and tasks of one project: hosts, tunnels, dependencies.
 *
 * @module
 */

import { closest } from "../kit/did_you_mean.ts";
import type { Problem, ProblemList } from "./problem.ts";
import type { TaskValues } from "./task_keys.ts";
import type { TomlDocument } from "./toml_document.ts";
import { MAX_TASK_NAME_LENGTH } from "./task_rule.ts";
import { isTable, type TomlTable } from "./toml_value.ts";

/** The tasks of one file, with all that is needed to complain about them. */
export interface ProjectReading {
  readonly document: TomlDocument;
  readonly problems: ProblemList;
  readonly tasks: ReadonlyMap<string, TaskValues>;
}

/** Adds every problem between keys: E104 for hosts and tunnels, E210, E211 and E212 for dependencies. */
export function checkProject(reading: ProjectReading): void {
  checkHosts(reading);
  for (const [name, task] of reading.tasks) checkTunnel(name, task, reading);
  const edges = checkDependencies(reading);
  for (const ring of findRings(edges)) {
    reading.problems.add({
      code: "E212",
      message: `Cannot order the tasks: their dependencies form a ring, ${
        [...ring, ring[0]].join(" → ")
      }`,
      path: ["tasks", ring[0]!, "depends_on"],
      part: "value",
    });
  }
}

function checkHosts({ tasks, problems }: ProjectReading): void {
  const holders = new Map<string, string>();
  for (const [name, { host }] of tasks) {
    if (host === null) continue;
    const holder = holders.get(host);
    if (holder === undefined) {
      holders.set(host, name);
      continue;
    }
    problems.add(invalid(
      name,
      "host",
      `Cannot use host "${host}" for task "${name}": task "${holder}" has it`,
    ));
  }
}

function checkTunnel(
  name: string,
  task: TaskValues,
  { document, problems }: ProjectReading,
): void {
  if (task.tunnel === null) return;
  const entry = entryOf(document, name);
  const written = (key: string): boolean => entry?.[key] !== undefined;
  const refuse = (state: string): void =>
    problems.add(invalid(
      name,
      "tunnel",
      `Cannot make task "${name}" public: ${state}`,
    ));
  // A host that is there but wrong has its own problem already.
  if (!written("host")) refuse('it has a "tunnel" but no "host"');
  if (task.host === "*") {
    refuse('host "*" is many names, and a tunnel serves one');
  }
  if (task.tunnel === "cloudflare" && !written("public_hostname")) {
    refuse('tunnel "cloudflare" needs a "public_hostname"');
  }
}

function invalid(task: string, key: string, message: string): Problem {
  return { code: "E104", message, path: ["tasks", task, key], part: "value" };
}

/** Complains about edges that lead nowhere or back to their own task; gives the others. */
function checkDependencies(
  { tasks, problems, document }: ProjectReading,
): ReadonlyMap<string, readonly string[]> {
  const edges = new Map<string, readonly string[]>();
  for (const [name, task] of tasks) {
    const written = entryOf(document, name)?.["depends_on"];
    const path = ["tasks", name, "depends_on"];
    const sound: string[] = [];
    for (const { task: target } of task.depends_on) {
      const flaw = edgeFlaw(name, target, tasks);
      if (flaw === null) {
        sound.push(target);
        continue;
      }
      problems.add({
        ...flaw,
        ...(Array.isArray(written)
          ? { path: [...path, written.indexOf(target)], part: "value" }
          : { path: [...path, target], part: "key" }),
      });
    }
    edges.set(name, sound);
  }
  return edges;
}

function edgeFlaw(
  name: string,
  target: string,
  tasks: ReadonlyMap<string, TaskValues>,
): Pick<Problem, "code" | "message" | "hint"> | null {
  if (target === name) {
    return {
      code: "E211",
      message: `Cannot order task "${name}": it depends on itself`,
    };
  }
  if (tasks.has(target)) return null;
  const near = closest(target, tasks.keys());
  return {
    code: "E210",
    message: `Cannot order task "${name}": it depends on "${
      target.slice(0, MAX_TASK_NAME_LENGTH)
    }", which is no task`,
    ...(near === null ? {} : { hint: `did you mean "${near}"?` }),
  };
}

/**
 * Rings of dependencies, each with its earliest task first. Rings that share a task with one found before are left
 * out: they often vanish with it. Walks with a stack of its own, as a chain may be longer than the machine's.
 */
function findRings(
  edges: ReadonlyMap<string, readonly string[]>,
): readonly (readonly string[])[] {
  const order = [...edges.keys()];
  const rings: string[][] = [];
  const done = new Set<string>();
  const inRing = new Set<string>();
  for (const start of order) {
    const path = new Map<string, number>();
    const stack: { name: string; next: number }[] = [];
    const enter = (name: string): void => {
      path.set(name, stack.length);
      stack.push({ name, next: 0 });
    };
    if (!done.has(start)) enter(start);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const target = edges.get(top.name)?.[top.next++];
      if (target === undefined) {
        done.add(top.name);
        path.delete(top.name);
        stack.pop();
      } else if (path.has(target)) {
        const ring = stack.slice(path.get(target)).map(({ name }) => name);
        if (!ring.some((name) => inRing.has(name))) rings.push(ring);
        for (const name of ring) inRing.add(name);
      } else if (!done.has(target)) enter(target);
    }
  }
  const rank = new Map(order.map((name, index) => [name, index]));
  return rings.map((ring) => fromEarliest(ring, rank));
}

function fromEarliest(
  ring: readonly string[],
  rank: ReadonlyMap<string, number>,
): readonly string[] {
  const ranks = ring.map((name) => rank.get(name) ?? 0);
  const first = ranks.indexOf(Math.min(...ranks));
  return [...ring.slice(first), ...ring.slice(0, first)];
}

function entryOf(document: TomlDocument, name: string): TomlTable | null {
  const tasks = document.value["tasks"];
  const entry = isTable(tasks) ? tasks[name] : undefined;
  return isTable(entry) ? entry : null;
}
