/**
 * Random tasks and operations.
 *
 * @module
 */

import fc from "fast-check";
import type { Action, Happening, Operation, Plain } from "./operation.ts";
import { withKnownDependencies } from "./outcome.ts";
import {
  AD_HOC,
  type Entries,
  type Entry,
  KINDS,
  type Kinds,
  NAMES,
} from "./task_plan.ts";

/** Most moments after which a daemon is killed in the middle of something. */
const MAX_CUT_TURNS = 200;

/** The same for ends while a daemon comes up, which takes longer. */
const MAX_RISE_TURNS = 3_000;

const entry: fc.Arbitrary<Entry> = fc.record({
  policy: fc.constantFrom("no", "on-failure", "always"),
  // Each restart after the first takes a second.
  maxRestarts: fc.constantFrom(1, 1, 1, 1, 2),
  autoStart: fc.boolean(),
  dependsOn: fc.subarray([...NAMES]),
  isStrict: fc.boolean(),
});

const kind = fc.oneof(
  { weight: 3, arbitrary: fc.constant("server" as const) },
  { weight: 4, arbitrary: fc.constantFrom(...KINDS) },
);

/** How the tasks behave. */
export const anyKinds: fc.Arbitrary<Kinds> = fc.record({
  a: kind,
  b: kind,
  c: kind,
  d: kind,
});

/** What stands in the file at first. */
export const anyEntries: fc.Arbitrary<Entries> = fc.dictionary(
  fc.constantFrom(...NAMES),
  entry,
  { minKeys: 2 },
).map(withKnownDependencies);

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("start" as const),
      names: someOf(NAMES),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("stop", "restart", "kill"),
      names: someOf([...NAMES, AD_HOC]),
    }),
  },
);

const crash = fc.record({
  do: fc.constant("crash" as const),
  task: fc.constantFrom(...NAMES, AD_HOC),
  how: fc.constantFrom("SIGKILL", "exit 0", "exit 1"),
});

const edit = fc.record({
  do: fc.constant("edit" as const),
  task: fc.constantFrom(...NAMES),
  entry: fc.option(entry, { freq: 4 }),
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: action },
  { weight: 4, arbitrary: crash },
  { weight: 1, arbitrary: edit },
);

const both = fc.record({
  do: fc.constant("both" as const),
  parts: fc.tuple(happening, happening),
});

/** What leaves our own processes alone. */
const CALM: readonly fc.WeightedArbitrary<Operation>[] = [
  { weight: 34, arbitrary: action },
  { weight: 24, arbitrary: crash },
  { weight: 10, arbitrary: edit },
  { weight: 12, arbitrary: both },
  { weight: 3, arbitrary: plain("break") },
  { weight: 6, arbitrary: plain("repair") },
  { weight: 6, arbitrary: plain("run", "remove") },
  { weight: 2, arbitrary: plain("unregister") },
  { weight: 4, arbitrary: plain("register") },
];

/** A process of ours that is replaced costs as much as this many steps that replace none: half of the time for each. */
const CALM_PER_WILD = 25;

/** What costs a new process of ours. */
const WILD: readonly fc.WeightedArbitrary<Operation>[] = [
  { weight: 1, arbitrary: plain("daemon kill", "daemon restart") },
  { weight: 1, arbitrary: plain("daemon stop") },
  { weight: 1, arbitrary: plain("keeper kill") },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("cut" as const),
      action,
      turns: fc.nat({ max: MAX_CUT_TURNS }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("gap" as const),
      parts: fc.array(fc.oneof(crash, edit), { minLength: 1, maxLength: 3 }),
      turns: fc.oneof(fc.constant(0), fc.nat({ max: MAX_RISE_TURNS })),
    }),
  },
];

/** Operations, without those that end a process of ours. */
export const calmOperation: fc.Arbitrary<Operation> = fc.oneof(...CALM);

/** All operations. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: CALM_PER_WILD, arbitrary: calmOperation },
  { weight: 1, arbitrary: fc.oneof(...WILD) },
);

function plain(...words: Plain[]): fc.Arbitrary<Operation> {
  return fc.record({ do: fc.constantFrom(...words) });
}

/** None stands for all. */
function someOf<T>(names: readonly T[]): fc.Arbitrary<T[]> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant<T[]>([]) },
    { weight: 5, arbitrary: fc.subarray([...names], { minLength: 1 }) },
  );
}
