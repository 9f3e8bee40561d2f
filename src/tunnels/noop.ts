/**
 * No program of taskmux's: the name leads here by other means, such as frp, sish, Caddy or a proxy of one's own, which the
 * user points at the origin that `tunnel status` tells.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type {
  TunnelCheck,
  TunnelProvider,
  TunnelTarget,
} from "./tunnel_provider.ts";

/** The provider `noop`. */
export const noop: TunnelProvider = {
  backend: "noop",
  carries: "task",
  hostnames: "optional",
  reaches: ["public", "tailnet"],
  check: (targets) => Promise.resolve(targets.map(checkName)),
  open: () => Promise.resolve(null),
  addressOf: ({ task, hostname }) => {
    if (hostname !== null) return Promise.resolve(`https://${hostname}`);
    return Promise.reject(
      new TaskmuxError(
        "E741",
        `Cannot tell the public address of "${task}": it has no hostname`,
        { hint: fixFor(task) },
      ),
    );
  },
  close: () => Promise.resolve({ removed: [], left: [] }),
  explain: () => null,
};

function checkName({ task, hostname }: TunnelTarget): TunnelCheck {
  const name = `hostname:${task}`;
  if (hostname === null) {
    const detail = `Task "${task}" has no hostname`;
    return { name, ok: false, detail, fix: fixFor(task) };
  }
  const detail = `${hostname} is yours to lead to the origin`;
  return { name, ok: true, detail, fix: null };
}

function fixFor(task: string): string {
  return `taskmux tunnel up ${task} --via noop --hostname NAME`;
}
