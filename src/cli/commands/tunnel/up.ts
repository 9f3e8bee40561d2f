/**
 * `taskmux tunnel up`
 *
 * @module
 */

import type { Client } from "../../../client/client.ts";
import type { ParamsInput } from "../../../contract/mod.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { TUNNEL_BACKENDS } from "../../../domain/tunnel.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { ask, needDaemon } from "../../daemon_access.ts";
import { interruptible } from "../../interrupt.ts";
import { withLiveView } from "../../live_view.ts";
import { durationOrNever, oneOf, seconds } from "../../option_value.ts";
import { projectScope } from "../../project.ts";
import { openedLines } from "../../render/tunnel.ts";
import { warningLines } from "../../render/warnings.ts";
import { readSecret } from "../../secret_input.ts";

/** Makes a task public. */
export const tunnelUp = command({
  usage: "TASK [--via BACKEND] [--hostname NAME] [--auth open|basic|link] " +
    "[--user NAME]\n[--password-stdin] [--expires 2h|never] [--tailnet-only] [--timeout SECONDS]",
  about:
    "Gives a running task a public HTTPS address until it stops, it expires or\n" +
    '"taskmux tunnel down" closes it. Without a word in taskmux.toml it is a quick tunnel of\n' +
    "Cloudflare, which needs no account. Ctrl-C while it opens closes it again.",
  options: {
    via: {
      type: "string",
      value: "BACKEND",
      summary: `${TUNNEL_BACKENDS.join(", ")} (default: as in the file)`,
    },
    hostname: {
      type: "string",
      value: "NAME",
      summary: "The public name, where the backend has a choice",
    },
    auth: {
      type: "string",
      value: "KIND",
      summary: "Who is let in: open (everybody), basic (password), link",
    },
    user: { type: "string", value: "NAME", summary: "User, with --auth basic" },
    "password-stdin": {
      type: "boolean",
      summary: "Read the password from standard input, else it is made up",
    },
    expires: {
      type: "string",
      value: "WHEN",
      summary: "Close it after so long, such as 2h, or never",
    },
    "tailnet-only": {
      type: "boolean",
      summary: "Only for the devices of your tailnet",
    },
    timeout: {
      type: "string",
      value: "SECONDS",
      summary: "Give up after so long (default 60)",
    },
  },
  positionals: { min: 1, max: 1 },
  examples: [
    ["taskmux tunnel up web", "A public address, for everybody"],
    ["taskmux tunnel up web --auth link --expires 2h", "For one browser"],
    [
      "taskmux tunnel up api --via cloudflare --hostname api.example.com",
      "A name of your own",
    ],
  ],
  async run(context, { values, positionals: [task = ""] }) {
    const scope = projectScope(context);
    const backend = oneOf("via", values.via, TUNNEL_BACKENDS);
    const auth = oneOf("auth", values.auth, ["open", "basic", "link"]);
    const expires = durationOrNever("expires", values.expires);
    const timeout = seconds("timeout", values.timeout, { zero: false });
    const password = values["password-stdin"]
      ? await readSecret("password-stdin")
      : null;
    if (password !== null) requireLength(password, task);
    // Who gives a password wants it asked for.
    const access = auth ??
      (password === null && values.user === null ? null : "basic");
    return await open(context, {
      scope,
      task,
      env: context.env(),
      ...backend === null ? {} : { backend },
      ...values.hostname === null ? {} : { hostname: values.hostname },
      ...access === null ? {} : { access },
      ...values.user === null ? {} : { user: values.user },
      ...password === null ? {} : { password },
      ...values["tailnet-only"] ? { reach: "tailnet" } : {},
      ...expires === null ? {} : { expires },
      ...timeout === null ? {} : { timeout },
    });
  },
});

/** Counts as the daemon does, and says nothing of what was given. */
function requireLength(password: string, task: string): void {
  if (password.length >= 8 && password.length <= 1_000) return;
  throw new TaskmuxError(
    "E500",
    "Cannot use that password: it must have 8 to 1000 characters",
    { hint: `taskmux tunnel up ${task} --auth basic   # makes one up` },
  );
}

type UpParams = ParamsInput<"tunnel.up">;

async function open(context: Context, params: UpParams): Promise<number> {
  const { output } = context;
  return await interruptible(
    `Opening "${params.task}" was given up`,
    async (signal) => {
      await using client = await needDaemon(context, signal);
      const wasOpen = await isOpen(client, params);
      try {
        const result = await withLiveView(
          context,
          { title: "Opening" },
          () => client.call("tunnel.up", params, { signal }),
        );
        await output.answer(result, () => openedLines(result, output));
        await output.notes(warningLines(result.warnings, output.paintError));
        return EXIT.ok;
      } catch (error) {
        // The daemon goes on; what was open before is not this command's to close.
        if (signal.aborted && !wasOpen) await close(client, params);
        throw error;
      }
    },
  );
}

async function isOpen(
  client: Client,
  { scope, task }: UpParams,
): Promise<boolean> {
  const { tunnels } = await ask(client, "tunnel.status", { scope });
  return tunnels.some((tunnel) => tunnel.task === task && tunnel.public);
}

/** Gives up what is being opened. */
async function close(client: Client, { scope, task }: UpParams): Promise<void> {
  try {
    await ask(client, "tunnel.down", { scope, tasks: [task] });
  } catch (error) {
    const isClosed = error instanceof TaskmuxError && error.code === "E743";
    if (!isClosed) throw error;
  }
}
