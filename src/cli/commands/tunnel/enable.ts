/**
 * `taskmux tunnel enable`
 *
 * @module
 */

import type { ParamsInput, Result } from "../../../contract/mod.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { TUNNEL_BACKENDS } from "../../../domain/tunnel.ts";
import { command, type Values } from "../../command.ts";
import type { Context } from "../../context.ts";
import { needDaemon } from "../../daemon_access.ts";
import { exitStatus } from "../../exit_status.ts";
import { interruptible } from "../../interrupt.ts";
import { withLiveView } from "../../live_view.ts";
import { oneOf } from "../../option_value.ts";
import { projectScope } from "../../project.ts";
import { enabledLines, failureLines } from "../../render/tunnel_setup.ts";
import { warningLines } from "../../render/warnings.ts";
import { readSecret } from "../../secret_input.ts";
import { refuseSudo } from "../../sudo.ts";

const OPTIONS = {
  backend: {
    type: "string",
    value: "BACKEND",
    summary: `${TUNNEL_BACKENDS.join(", ")} (default: cloudflare)`,
  },
  token: {
    type: "string",
    value: "TOKEN",
    summary: "Cloudflare token; other programs can see it, better:",
  },
  "token-stdin": {
    type: "boolean",
    summary: "Read the token from standard input",
  },
  "account-id": {
    type: "string",
    value: "ID",
    summary: "Cloudflare account",
  },
  zone: {
    type: "string",
    value: "ID",
    summary: "Zone of this project (default: that of the public name)",
  },
  task: {
    type: "string",
    value: "TASK",
    multiple: true,
    summary: "A task that is to be public",
  },
  "public-hostname": {
    type: "string",
    value: "TASK=NAME",
    multiple: true,
    summary: "Its public name",
  },
  "dry-run": { type: "boolean", summary: "Check, tell, and change nothing" },
} as const;

/** Has tasks be public whenever they run. */
export const tunnelEnable = command({
  usage:
    "[--backend BACKEND] [--token TOKEN | --token-stdin] [--account-id ID] " +
    "[--zone ID]\n[--task TASK]... [--public-hostname TASK=NAME]... [--dry-run]",
  about:
    "Checks everything first, changes nothing before that, and may be repeated. On a terminal,\n" +
    "without options, it asks. The token goes to ~/.taskmux/config.toml, which only you can\n" +
    "read; tunnel and public_hostname go to taskmux.toml; this machine remembers that you\n" +
    "wanted it. Without --token the one in $CLOUDFLARE_API_TOKEN is used.",
  options: OPTIONS,
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux tunnel enable", "Be asked"],
    [
      "taskmux tunnel enable --task api --public-hostname api=api.example.com",
      "For programs",
    ],
    ["taskmux tunnel enable --task web --backend tailscale", "By Funnel"],
  ],
  async run(context, { values }) {
    refuseSudo(context.user, "enable tunnels");
    const scope = projectScope(context);
    const wish = await wishOf(values);
    const isBare = values.token === null && !values["token-stdin"] &&
      values["account-id"] === null && values.task.length === 0 &&
      values["public-hostname"].length === 0 && values.backend === null;
    const params = { scope, env: context.env(), ...wish };
    if (!isBare || !context.output.canAsk) {
      return await enable(context, params, values.token !== null);
    }
    const { askForTunnels } = await import("../../ask_for_tunnels.ts");
    const asked = await askForTunnels(context, params);
    switch (asked.kind) {
      case "left":
        await context.output.lines(["Aborted: nothing was changed"]);
        return EXIT.interrupted;
      case "refused":
        return await report(context, asked.answer);
      case "agreed":
        return await enable(context, asked.params, false);
    }
  },
});

type EnableParams = ParamsInput<"tunnel.enable">;

async function wishOf(
  values: Values<typeof OPTIONS>,
): Promise<Omit<EnableParams, "scope">> {
  const backend = oneOf("backend", values.backend, TUNNEL_BACKENDS);
  const hostnames = pairs("public-hostname", values["public-hostname"]);
  if (values.token !== null && values["token-stdin"]) {
    throw new TaskmuxError(
      "E500",
      "Cannot use --token and --token-stdin together",
      { hint: "Leave --token out", details: { field: "token" } },
    );
  }
  const token = values["token-stdin"]
    ? (await readSecret("token-stdin")).trim()
    : values.token?.trim() ?? null;
  return {
    ...backend === null ? {} : { backend },
    ...token === null ? {} : { api_token: token },
    ...values["account-id"] === null
      ? {}
      : { account_id: values["account-id"] },
    ...values.zone === null ? {} : { zone_id: values.zone },
    tasks: [...values.task],
    public_hostnames: hostnames,
    dry_run: values["dry-run"],
  };
}

/** @throws {TaskmuxError} E500 for what is no pair, or a task that is there twice. */
function pairs(
  option: string,
  words: readonly string[],
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf("=");
    const [task, name] = [word.slice(0, at).trim(), word.slice(at + 1).trim()];
    const isPair = at > 0 && task !== "" && name !== "";
    if (!isPair || Object.hasOwn(found, task)) {
      throw new TaskmuxError(
        "E500",
        `Cannot use --${option} "${word}": ${
          isPair ? `task "${task}" has a name already` : "it is not TASK=NAME"
        }`,
        {
          hint: `--${option} api=api.example.com`,
          details: { field: "public_hostname", value: word },
        },
      );
    }
    found[task] = name;
  }
  return found;
}

/** What stands among the arguments can be seen by every program of the machine. */
const VISIBLE_TOKEN =
  "Other programs can see a token among the arguments; --token-stdin, or $CLOUDFLARE_API_TOKEN, hides it";

async function enable(
  context: Context,
  params: EnableParams,
  isTokenVisible: boolean,
): Promise<number> {
  return await interruptible(
    "Stopped waiting: it may still be done",
    async (signal) => {
      await using client = await needDaemon(context, signal);
      const answer = await withLiveView(
        context,
        { title: params.dry_run === true ? "Checking" : "Enabling" },
        () => client.call("tunnel.enable", params, { signal }),
      );
      return await report(context, {
        ...answer,
        warnings: [
          ...isTokenVisible ? [VISIBLE_TOKEN] : [],
          ...answer.warnings,
        ],
      });
    },
  );
}

/** @returns The exit status. */
async function report(
  { output }: Context,
  result: Result<"tunnel.enable">,
): Promise<number> {
  await output.answer(result, () => enabledLines(result, output));
  if (!output.json) {
    await output.notes([
      // What would follow does not, if it failed.
      ...result.ok ? warningLines(result.warnings, output.paintError) : [],
      ...failureLines(result, output.paintError),
    ]);
  }
  return exitStatus(result);
}
