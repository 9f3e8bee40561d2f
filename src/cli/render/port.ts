/**
 * The answer of `who` for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { RenderOptions } from "./status.ts";
import { cutText, plainText } from "./text.ts";

type Who = Result<"port.who">;
type Holder = NonNullable<Who["holders"]>[number];

/** A command line is shown so far, that what comes after it is seen. */
const COMMAND_COLUMNS = 100;

/** The lines of `who`. */
export function portLines(who: Who, { width }: RenderOptions): string[] {
  const { port, holders } = who;
  const lease = leaseText(who);
  const lines = holders === null
    ? [`who listens is not known, because ${who.reason}`]
    : holders.map(holderText);
  if (lines.length === 0) lines.push("free");
  // Who holds its own port needs no second line about it.
  if (lease !== null && !holders?.some((holder) => isLessee(holder, who))) {
    lines[lines.length - 1] += `; ${lease}`;
  }
  return lines.map((line) => cutText(`port ${port}: ${line}`, width));
}

function isLessee({ session, task }: Holder, { lease }: Who): boolean {
  return lease !== null && session === lease.session && task === lease.task;
}

function leaseText({ lease }: Who): string | null {
  if (lease === null) return null;
  const { session, task, fixed } = lease;
  const kept = fixed === true ? "fixed port of" : "leased to";
  return `${kept} ${task} of ${session}`;
}

function holderText(holder: Holder): string {
  const { pid, session, task, ours, uid } = holder;
  const command = cutText(plainText(holder.command ?? ""), COMMAND_COLUMNS);
  const where = holder.addresses.length === 0
    ? ""
    : ` on ${holder.addresses.join(", ")}`;
  if (pid === null) {
    return `a process that cannot be seen${where}: another user's ` +
      `(user id ${uid}), or in a container`;
  }
  if (task !== null) {
    return `${task} of ${session} (pid ${pid}, ${command})${where}`;
  }
  const whose = ours ? "taskmux itself" : "no task of this taskmux";
  return `pid ${pid} ${command} (${whose})${where}`;
}
