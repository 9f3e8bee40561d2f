/**
 * What marks a task that others can reach, in listings.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { audienceOf } from "../../domain/tunnel.ts";
import { formatDuration } from "../../kit/duration.ts";
import type { Paint, Style } from "./paint.ts";
import type { Cell } from "./table.ts";
import { plainText } from "./text.ts";

type Task = Result<"task.status">["tasks"][number];

/** A tunnel as answers tell it. */
export type TunnelAnswer = NonNullable<Task["tunnel"]>;

/** The cell of the public address: `—` for a task that has none, empty where no task of the listing has a tunnel. */
export function publicCell(task: Task, tasks: readonly Task[]): Cell {
  const { tunnel, public_url: url } = task;
  if (tasks.every((each) => each.tunnel === null)) return "";
  return url === null || tunnel === null
    ? { text: "—", style: "dim" }
    : { text: plainText(url), style: styleOf(tunnel) };
}

/**
 * What is said of a tunnel beside its task: `PUBLIC: everybody, for 1h 20m`.
 *
 * @param now Wall milliseconds.
 */
export function publicNote(tunnel: TunnelAnswer, now: number): string {
  const { backend, state, expires_at: end } = tunnel;
  const until = end === null ? "" : `, for ${formatDuration(end * 1000 - now)}`;
  if (tunnel.public) return `PUBLIC: ${audienceOf(tunnel)}${until}`;
  switch (state) {
    case "waiting":
      return "public when it runs";
    case "opening":
      return "tunnel opening";
    default:
      return `tunnel=${backend}`;
  }
}

/** Why a tunnel does not work, or is closed although it was to be open; nothing of one that works. */
export function tunnelLines(
  { name, tunnel }: Pick<Task, "name" | "tunnel">,
  paint: Paint,
): string[] {
  if (tunnel === null || tunnel.reason === null) return [];
  const { state, standing } = tunnel;
  const reason = plainText(tunnel.reason);
  if (state === "failing") {
    return [paint("red", `  ${name} tunnel fails: ${reason}`)];
  }
  // That a file names a tunnel is no news each time.
  return state === "off" && standing
    ? [paint("dim", `  ${name} tunnel is off: ${reason}`)]
    : [];
}

/** How it looks that others can reach a task. */
export function styleOf({ state }: TunnelAnswer): Style {
  return state === "failing" ? "red" : "yellow";
}
