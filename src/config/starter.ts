/**
 * The file that `taskmux init` writes.
 *
 * @module
 */

import { formatValue } from "./toml_value.ts";

/** Where editors find the JSON Schema of this version. */
export const SCHEMA_URL =
  "https://jsr.io/@taskmux/cli/0.1.0/schema/taskmux.schema.json";

/**
 * A commented `taskmux.toml` without tasks: it starts nothing until somebody says what.
 *
 * @param name Name of the project, see `projectName`.
 */
export function starterText(name: string): string {
  return `#:schema ${SCHEMA_URL}

name = ${formatValue(name)}

# One table per task. "taskmux add web 'npm run dev'" writes one, "taskmux check"
# finds mistakes, "taskmux start" starts them all in the order of depends_on.
#
# [tasks.web]
# command = "npm run dev -- --port $PORT" # a free port, chosen once and kept
# cwd = "web"                             # relative to this file
# host = "web"                            # its name among the tasks of the project
# depends_on = ["api"]                    # waits until api is healthy
#
# [tasks.api]
# command = "deno run -A main.ts"
# host = "api"
# env = { LOG_LEVEL = "debug" }
# health_url = "http://localhost:$PORT/health"
# restart_policy = "on-failure"           # or "always", "no"
# watch = ["src/**/*.ts"]                 # restarts on change
#
# [tasks.db]
# command = "docker compose up postgres"
# auto_start = false                      # only by: taskmux start db
# health_check = "pg_isready -h localhost"
# stop_grace_period = 15                  # seconds until SIGTERM
`;
}
