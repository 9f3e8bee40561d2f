/**
 * F2 and F3: what becomes of the descendants of a task.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Subject } from "../../subjects/subject.ts";
import {
  comes,
  type FaultScenario,
  FaultSession,
  killNow,
  running,
  see,
} from "../fault_scenario.ts";

const FIVE_WAYS = fileURLToPath(
  new URL("../../programs/five_ways.sh", import.meta.url),
);

/** In the order of the program. */
const KINDS = ["same group", "own group", "own session", "daemon", "wiped"];

/** How long they may live on after the command has returned. */
const GRACE_MS = 10_000;

/** F2. */
export const stopMatrix: FaultScenario = {
  name: "F2",
  title: "`stop`, five kinds of descendant",
  how:
    "A task leaves a child in its group, one in a group of its own, one in " +
    "a session of its own, a double-forked daemon, and one of those with an " +
    "empty environment. They obey signals, but as children that a shell " +
    "starts in the background they ignore SIGINT. Counted 10 s after `stop` " +
    "returned.",
  run: (subject, signal) =>
    survivors(subject, signal, async (session) => {
      await session.act("stop", "web");
    }),
};

/** F3. */
export const leaderKilled: FaultScenario = {
  name: "F3",
  title: "`kill -9` of a task's leader",
  how: "The same five; the task's own process is killed and is not to be " +
    "started again. Counted 10 s later.",
  run: (subject, signal) =>
    survivors(subject, signal, (_, leader) => {
      killNow(leader);
      return Promise.resolve();
    }),
};

async function survivors(
  subject: Subject,
  signal: AbortSignal,
  act: (session: FaultSession, leader: number) => Promise<void>,
): Promise<string> {
  const prefix = 1e5 + crypto.getRandomValues(new Uint16Array(1))[0]!;
  await using session = await FaultSession.open(subject, [{
    name: "web",
    command: `exec sh ${FIVE_WAYS} ${prefix}`,
    isOnce: true,
  }], signal);
  await session.session.start();
  const of = (kind: number): Promise<number[]> =>
    running(`sleep ${prefix}${kind}`);
  const [leader] = await see("task", async () => {
    const all = await Promise.all([0, 1, 2, 3, 4, 5].map(of));
    return all.every(({ length }) => length === 1) ? all[0] : null;
  });
  await act(session, leader!);
  const left = async (): Promise<string[]> => {
    const all = await Promise.all([1, 2, 3, 4, 5].map(of));
    return KINDS.filter((_, index) => all[index]!.length > 0);
  };
  await comes(async () => (await left()).length === 0, GRACE_MS);
  const names = await left();
  for (const kind of [1, 2, 3, 4, 5]) (await of(kind)).forEach(killNow);
  return names.length === 0
    ? "5 of 5 end"
    : `${names.length} of 5 left: ${names.join(", ")}`;
}
