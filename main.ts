/**
 * The command `taskmux`: words in, exit status out.
 *
 * @module
 */

import { runCli } from "./src/cli/cli.ts";

if (import.meta.main) Deno.exit(await runCli(Deno.args));
