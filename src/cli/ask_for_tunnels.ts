/**
 * The questions of `taskmux tunnel enable` to a person at a terminal. Nothing is changed by them.
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import { loadProject } from "../config/project_config.ts";
import { readPublicHostname } from "../config/value_rules.ts";
import type { ParamsInput, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { CATCH_ALL } from "../domain/host_name.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import { readTunnelConfig } from "../offline/tunnel_config.ts";
import type { Context } from "./context.ts";
import { needDaemon } from "./daemon_access.ts";
import {
  askChoice,
  askChoices,
  askLine,
  askSecret,
  askYes,
  tell,
} from "./prompts.ts";

/** What a token must be allowed to do, and where one is made. */
const TOKEN_HELP = [
  "Make a token at https://dash.cloudflare.com/profile/api-tokens with",
  "  Account > Cloudflare Tunnel > Edit",
  "  Zone > DNS > Edit",
];

/** Stands for a token that is typed. */
const ANOTHER = "another";

type EnableParams = ParamsInput<"tunnel.enable">;
type Places = Result<"tunnel.zones">;

/** What came of the questions. */
export type TunnelAnswers =
  | { readonly kind: "left" }
  /** The checks have failed; there is nothing to agree to. */
  | { readonly kind: "refused"; readonly answer: Result<"tunnel.enable"> }
  | { readonly kind: "agreed"; readonly params: EnableParams };

const LEFT: TunnelAnswers = { kind: "left" };

/**
 * Asks for a token, an account, tasks and their public names, shows exactly what would be changed, and asks whether to go on.
 *
 * @param params What is known before: the project and the environment.
 * @throws {TaskmuxError} E741 if Cloudflare does not take the token; E700 if no task has a host.
 */
export async function askForTunnels(
  context: Context,
  params: EnableParams,
): Promise<TunnelAnswers> {
  const config = params.scope.config ?? "";
  const home = context.env()["HOME"];
  const { tasks } = await loadProject(config, { home });
  const candidates = publishable([...tasks.values()]);
  const known = await readTunnelConfig(context, config, { reveal: false });
  const token = await askToken(known);
  if (token === null) return LEFT;
  const credentials = token === "" ? {} : { api_token: token };
  await using client = await needDaemon(context);
  const { scope, env } = params;
  const places = await client.call("tunnel.zones", {
    scope,
    ...env === undefined ? {} : { env },
    ...credentials,
  });
  const account = await askAccount(known.effective.account_id.value, places);
  if (account === null) return LEFT;
  const hostnames = await askNames(candidates, places);
  if (hostnames === null) return LEFT;
  const whole = {
    ...params,
    ...credentials,
    ...account === "" ? {} : { account_id: account },
    tasks: Object.keys(hostnames),
    public_hostnames: hostnames,
  };
  return await agree(client, whole);
}

/** Tasks that can be public. */
function publishable(tasks: readonly TaskSpec[]): TaskSpec[] {
  const found = tasks.filter(({ host, scope }) =>
    host !== null && host !== CATCH_ALL && scope !== "repo"
  );
  if (found.length > 0) return found;
  throw new TaskmuxError(
    "E700",
    "Cannot enable tunnels: no task has a host of its own",
    { hint: 'Give a task host = "web" in taskmux.toml' },
  );
}

/** Empty = the one that is set. */
async function askToken(
  { effective: { api_token: token }, global }: Result<"tunnel.config">,
): Promise<string | null> {
  if (token.value !== null) {
    const place = token.source === "env"
      ? `$${global.api_token_env}`
      : "config.toml";
    const choice = await askChoice("Which Cloudflare API token?", [
      { value: "", label: `The one in ${place}`, hint: token.value },
      { value: ANOTHER, label: "Another one" },
    ]);
    if (choice !== ANOTHER) return choice;
  }
  tell("Cloudflare", TOKEN_HELP);
  return await askSecret("Cloudflare API token (is not shown)");
}

/** Empty = the one that is set, or the only one. */
async function askAccount(
  known: string | null,
  { accounts }: Places,
): Promise<string | null> {
  if (known !== null) return "";
  const [first] = accounts;
  if (first === undefined) {
    return await askLine(
      "Account ID (in the dashboard's address, after dash.cloudflare.com/)",
      "",
      (id) => id.trim() === "" ? "Nothing was typed" : undefined,
    );
  }
  if (accounts.length === 1) return first.id;
  return await askChoice(
    "Which account?",
    accounts.map(({ id, name }) => ({ value: id, label: name, hint: id })),
  );
}

/** Task → public name; null if there are none. */
async function askNames(
  candidates: readonly TaskSpec[],
  { zones }: Places,
): Promise<Record<string, string> | null> {
  const chosen = await askChoices(
    "Which tasks are to be public whenever they run? (space selects, enter goes on)",
    candidates.map(({ name, host }) => ({ value: name, hint: host ?? "" })),
    candidates.filter(({ tunnel }) => tunnel === "cloudflare")
      .map(({ name }) => name),
  );
  if (chosen === null || chosen.length === 0) return null;
  const zone = zones[0]?.name ?? "example.com";
  const names: Record<string, string> = {};
  for (const task of chosen) {
    const before = candidates.find(({ name }) => name === task);
    const name = await askLine(
      `Public name of task "${task}"`,
      before?.publicHostname ?? `${task}.${zone}`,
      (typed) =>
        readPublicHostname(typed) === null
          ? `It must be a DNS name such as ${task}.${zone}`
          : undefined,
    );
    if (name === null) return null;
    names[task] = name;
  }
  return names;
}

/** Shows what would be done, and asks. */
async function agree(
  client: Client,
  params: EnableParams,
): Promise<TunnelAnswers> {
  const answer = await client.call("tunnel.enable", {
    ...params,
    dry_run: true,
  });
  if (!answer.ok) return { kind: "refused", answer };
  tell(
    "Every check has passed. Will be changed",
    answer.plan.length === 0 ? ["nothing: it is so already"] : answer.plan,
  );
  return await askYes("Proceed?") ? { kind: "agreed", params } : LEFT;
}
