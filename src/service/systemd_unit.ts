/**
 * The daemon as a unit of systemd.
 *
 * What the settings are for:
 * - `KillMode=process`: a daemon that crashes leaves keeper and tasks alone, and the next one takes them over. A stop is
 *   a SIGTERM to the daemon, which takes every task down itself.
 * - `OOMPolicy=continue`: a task that runs out of memory is that task's failure, not that of all.
 * - `TasksMax`: bounds a fork bomb of a task.
 * - `Type=exec`: a Deno that is gone fails the start. Readiness is not told; systemd's protocol needs datagrams.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { START_AGAIN_EXIT } from "../config/launch.ts";
import { MARK, type Service } from "./service.ts";

/** Name of the unit. */
export const UNIT_NAME = "taskmux.service";

/** Time for every grace period, one level of dependencies after the other. */
const STOP_TIMEOUT_S = 180;

/** Processes and threads of everything that the daemon runs. */
const TASKS_MAX = 16_384;

/** The text of the unit. Pure. */
export function systemdUnit(service: Service): string {
  const { command, environment, scope } = service;
  const start = [command.program, ...command.args].map((word) =>
    quoted(word.replaceAll("$", "$$$$"))
  );
  const variables = Object.entries(environment).map(([name, value]) =>
    `Environment=${quoted(`${name}=${value}`)}`
  );
  return `# ${MARK}
[Unit]
Description=taskmux, the task manager of ${oneLine(service.owner)}
Documentation=https://jsr.io/@taskmux/cli
StartLimitIntervalSec=60
StartLimitBurst=10

[Service]
Type=exec
ExecStart=${start.join(" ")}
${variables.join("\n")}
WorkingDirectory=/
KillMode=process
TimeoutStopSec=${STOP_TIMEOUT_S}
Restart=on-failure
RestartSec=250ms
SuccessExitStatus=${START_AGAIN_EXIT}
RestartForceExitStatus=${START_AGAIN_EXIT}
OOMPolicy=continue
TasksMax=${TASKS_MAX}

[Install]
WantedBy=${scope === "user" ? "default.target" : "multi-user.target"}
`;
}

/** A word as systemd reads it back: quoted, specifiers escaped. */
function quoted(word: string): string {
  const escaped = oneLine(word).replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"').replaceAll("%", "%%");
  return `"${escaped}"`;
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what is looked for
  if (!/[\x00-\x1f\x7f]/.test(text)) return text;
  throw new TaskmuxError(
    "E500",
    `Cannot write ${
      JSON.stringify(text)
    } into a unit: it has control characters`,
    { hint: "env | cat -v" },
  );
}
