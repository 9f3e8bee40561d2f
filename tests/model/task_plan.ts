/**
 * The tasks of the model test: what they are called, how they behave, and how they stand in a `taskmux.toml`.
 *
 * @module
 */

/** Every task that may be in the file. A task depends only on tasks to the left of it. */
export const NAMES = ["a", "b", "c", "d"] as const;

/** A task of the file. */
export type Name = (typeof NAMES)[number];

/** The task of `taskmux run`. */
export const AD_HOC = "x";

/** The name of the project. */
export const PROJECT = "model";

/** How a task behaves; it is so for a whole sequence. */
export const KINDS = [
  /** Runs until it is told, and ends in order. */
  "server",
  /** The same; it is healthy as soon as it has said something. */
  "ready",
  /** Does not hear the first signal. */
  "stubborn",
  /** Has a child, and one in a session of its own. */
  "family",
  /** Ends at once, well. */
  "ok",
  /** Ends at once, badly. */
  "bad",
] as const;

/** See {@linkcode KINDS}. */
export type Kind = (typeof KINDS)[number];

/** What the file says of a task beside its command. */
export interface Entry {
  readonly policy: "no" | "on-failure" | "always";
  readonly maxRestarts: 1 | 2;
  readonly autoStart: boolean;
  readonly dependsOn: readonly Name[];
  /** Whether servers that it depends on must be healthy, not only started. */
  readonly isStrict: boolean;
}

/** Kind of each task. */
export type Kinds = Readonly<Record<Name, Kind>>;

/** The tasks that are in the file. */
export type Entries = Readonly<Partial<Record<Name, Entry>>>;

/** Whether a task of this kind runs until it is ended. */
export function isServer(kind: Kind): boolean {
  return kind !== "ok" && kind !== "bad";
}

/** What a task asks of one that it depends on. */
export function conditionOn(
  kind: Kind,
  isStrict: boolean,
): "started" | "healthy" | "completed" {
  if (!isServer(kind)) return "completed";
  return isStrict ? "healthy" : "started";
}

/** What a run says as soon as it lives, before it can do anything. */
export function firstLine(runId: string): string {
  return `first ${runId}`;
}

/** What a run says last, if it ends with an exit status. */
export function lastLine(runId: string): string {
  return `last ${runId}`;
}

const FIRST = `echo "${firstLine("$TASKMUX_RUN_ID")}"`;
const LAST = `echo "${lastLine("$TASKMUX_RUN_ID")}"`;
/** Says its last line once, whatever else is asked of it meanwhile. */
const end = (status: number): string =>
  `trap "" INT USR1 USR2; ${LAST}; exit ${status}`;
const OBEY = `trap '${end(0)}' USR1; trap '${end(1)}' USR2`;
const ON_INT = `trap '${end(0)}' INT`;
const FOR_EVER = "sleep 100000 & while :; do wait; done";

/** Shell text of a task. SIGUSR1 ends it with 0, SIGUSR2 with 1. */
export function commandOf(kind: Kind): string {
  switch (kind) {
    case "server":
    case "ready":
      return `${OBEY}; ${ON_INT}; ${FIRST}; ${FOR_EVER}`;
    case "stubborn":
      return `${OBEY}; trap '' INT; ${FIRST}; ${FOR_EVER}`;
    case "family":
      return `setsid sleep 100000 & ${OBEY}; ${ON_INT}; ${FIRST}; ${FOR_EVER}`;
    case "ok":
      return `${FIRST}; ${LAST}`;
    case "bad":
      return `${FIRST}; ${LAST}; exit 1`;
  }
}

/** The section of a task: two of the same text are the same definition. */
export function sectionOf(name: Name, entry: Entry, kinds: Kinds): string {
  const kind = kinds[name];
  const dependencies = entry.dependsOn.map((other) =>
    `${other} = "${conditionOn(kinds[other], entry.isStrict)}"`
  );
  return [
    `[tasks.${name}]`,
    `command = ${JSON.stringify(commandOf(kind))}`,
    `restart_policy = "${entry.policy}"`,
    `max_restarts = ${entry.maxRestarts}`,
    "restart_backoff = 1",
    `auto_start = ${entry.autoStart}`,
    ...(kind === "stubborn" || kind === "family"
      ? ["stop_grace_period = 0.05"]
      : []),
    ...(kind === "ready" ? ['ready_log = "^first"'] : []),
    ...(dependencies.length === 0
      ? []
      : [`depends_on = { ${dependencies.join(", ")} }`]),
  ].join("\n");
}

/** The file. */
export function fileText(
  entries: Entries,
  kinds: Kinds,
  isBroken: boolean,
): string {
  const sections = NAMES.flatMap((name) => {
    const entry = entries[name];
    return entry === undefined ? [] : [sectionOf(name, entry, kinds)];
  });
  const text = [`name = "${PROJECT}"`, ...sections, ""].join("\n");
  return isBroken ? `${text}\n[tasks.` : text;
}
