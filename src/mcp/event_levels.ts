/**
 * How loud an event is in the log of a client.
 *
 * @module
 */

import type { EventRecord } from "../domain/event.ts";
import type { LoggingLevel } from "./sdk.ts";

/**
 * The level of an event: its severity, but a crash is an error, although a run that ends need not be one, and a kill a
 * warning, although somebody wanted it.
 */
export function levelOf(event: EventRecord): LoggingLevel {
  switch (event.event) {
    case "task_exited":
      return isCrash(event) ? "error" : event.severity;
    case "task_killed":
      return "warning";
    default:
      return event.severity;
  }
}

/** An end that nobody wanted. Events of earlier versions do not tell, nor do runs that ended while no daemon was there. */
function isCrash({ expected, exit_code: status }: EventRecord): boolean {
  return typeof expected === "boolean" ? !expected : status !== 0;
}
