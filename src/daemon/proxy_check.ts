/**
 * What `doctor` says of the proxy.
 *
 * @module
 */

import { type CheckAnswer, failed, passed, warned } from "../kit/checks.ts";
import type { Front } from "./front.ts";

/** How to get the addresses without a port. */
const WITHOUT_PORT =
  'for addresses without a port: sudo env "PATH=$PATH" taskmux daemon';

/** Whether it serves, where, and why not elsewhere. */
export function checkProxy(front: Front): CheckAnswer {
  if (!front.isEnabled) return passed(`off: ${front.reason}`);
  const { binding: { bound }, ports, problems, detours } = front;
  if (!bound) {
    return problems.length === 0
      ? passed(`off: ${front.reason}`)
      : failed(problems.join("; "), "taskmux daemon status");
  }
  const { https, redirect } = ports ?? { https: null, redirect: null };
  const leads = redirect === null || redirect.addresses.length === 0
    ? ""
    : `, HTTP on ${redirect.port} leads to it`;
  const where = `HTTPS on port ${https?.port} of ${
    https?.addresses.join(" and ")
  }${leads}`;
  if (detours.length === 0) return answerOf(where, problems);
  return answerOf(
    `${where}; ${detours.join("; ")}; ${WITHOUT_PORT}`,
    problems,
  );
}

function answerOf(
  detail: string,
  problems: readonly string[],
): CheckAnswer {
  return problems.length === 0
    ? passed(detail)
    : warned([detail, ...problems].join("; "), "taskmux daemon status");
}
