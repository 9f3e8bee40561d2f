/**
 * The link of an explanation about the tunnel of a task.
 *
 * @module
 */

import { formatDuration } from "../kit/duration.ts";
import { audienceOf, isTunnelProgram } from "./tunnel.ts";
import type { WhyFacts, WhyLink, WhyTunnel } from "./why_facts.ts";

/** Whether others can reach it, or what keeps them from it; null where that is no question. */
export function tunnelLink({ task, tunnel, now }: WhyFacts): WhyLink | null {
  if (tunnel === undefined) return null;
  const { view, lines, meaning } = tunnel;
  const text = isTunnelProgram(task.spec)
    ? programText(tunnel)
    : taskText(tunnel, now);
  return {
    kind: "tunnel",
    text: meaning === null ? text : `${text}. ${meaning}`,
    state: view.state,
    public: view.public,
    ...view.public_url === null ? {} : { public_url: view.public_url },
    ...lines.length === 0 ? {} : { lines: [...lines] },
  };
}

/** What shows, or does away with, what is wrong with a tunnel; null = nothing is. */
export function tunnelRemedy({ task, tunnel }: WhyFacts): string | null {
  if (tunnel?.view.state !== "failing" || isTunnelProgram(task.spec)) {
    return null;
  }
  const { process } = tunnel.view;
  return process === null ? "taskmux tunnel test" : `taskmux logs ${process}`;
}

function programText({ tasks, view }: WhyTunnel): string {
  return `the program of ${view.backend} that makes ${
    tasks.join(" and ")
  } public; it ends with the tunnel`;
}

function taskText({ view }: WhyTunnel, now: number): string {
  const { state, reason, public_url: url, backend, expires_at: end } = view;
  const until = end === null
    ? ""
    : `, for another ${formatDuration(end * 1000 - now)}`;
  switch (state) {
    case "open":
      return `PUBLIC at ${url} (${audienceOf(view)})${until}`;
    case "failing":
      return `its tunnel (${backend}) does not work: ${reason}`;
    case "opening":
      return `its tunnel (${backend}) is being opened`;
    case "waiting":
      return `its tunnel opens with it: ${reason}`;
    case "off":
      return `its tunnel (${backend}) is off: ${reason}`;
  }
}
