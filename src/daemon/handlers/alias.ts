/**
 * Handlers of the operations on aliases.
 *
 * @module
 */

import type { Params, Result } from "../../contract/mod.ts";
import { viewAliases } from "../../domain/address.ts";
import { type Alias, checkAlias, requireFree } from "../../domain/alias.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { viewHolders } from "../../domain/port_view.ts";
import { taskUrl } from "../../domain/task_url.ts";
import { closest } from "../../kit/did_you_mean.ts";
import type { Handlers } from "../dispatcher.ts";
import { frontStatus } from "../front_view.ts";
import type { Services } from "../services.ts";

type AliasHandlers = Pick<
  Handlers,
  "alias.add" | "alias.list" | "alias.remove"
>;

/** See the module. */
export function aliasHandlers(services: Services): AliasHandlers {
  const { projects, aliases } = services;
  return {
    "alias.add": (params) => addAlias(services, params),
    "alias.list": async ({ scope }) => {
      await using looked = await projects.look(scope);
      const view = viewAliases(looked.supervisor.addressBook());
      return {
        ok: true,
        aliases: view.aliases,
        count: view.aliases.length,
        warnings: view.warnings,
      };
    },
    "alias.remove": async ({ scope, name }) => {
      await using looked = await projects.look(scope);
      const { projectId } = looked.supervisor;
      const known = looked.supervisor.addressBook().aliases;
      if (!known.some((alias) => alias.name === name)) {
        throw noAlias(name, known);
      }
      aliases.remove(projectId, name);
      return { ok: true, alias: name, action: "removed" };
    },
  };
}

async function addAlias(
  services: Services,
  { scope, name, host = name, port }: Params<"alias.add">,
): Promise<Result<"alias.add">> {
  const alias: Alias = { name, host, port };
  checkAlias(alias);
  const supervisor = await services.projects.require(scope);
  const listening = await isListening(services, alias);
  const { projectId } = supervisor;
  // From here on to the end of the change nothing else gets a turn.
  requireFree(alias, supervisor.addressBook());
  const action = services.aliases.set(projectId, alias);
  await services.serveNames();
  const { proxy } = supervisor.addressBook();
  const { bound, reason } = frontStatus(services.front);
  const warnings: string[] = [];
  if (!bound) {
    warnings.push(
      `The proxy does not listen: ${reason}. Until it does, the alias has no name of its own`,
    );
  }
  if (listening === false) {
    warnings.push(`Nothing listens on port ${port} yet`);
  }
  const url = taskUrl({ host, port, projectId, proxy }) ?? "";
  return { ok: true, alias: name, host, port, url, action, warnings };
}

/**
 * Whether somebody listens where an alias is to lead; null = that cannot be told.
 *
 * @throws {TaskmuxError} E500 if it is this daemon: a request would come back to it.
 */
async function isListening(
  { keeper }: Services,
  { name, port }: Alias,
): Promise<boolean | null> {
  if (!keeper.isAnswering) return null;
  const found = await keeper.request("holders", { port });
  const { listening, holders } = viewHolders(found, {
    ownerOf: () => null,
    daemonPid: Deno.pid,
  });
  const isSelf = holders?.some(({ pid }) => pid === Deno.pid) === true;
  if (!isSelf) return listening;
  throw new TaskmuxError(
    "E500",
    `Cannot lead alias "${name}" to port ${port}: taskmux itself listens there`,
    { hint: `taskmux who ${port}`, details: { port } },
  );
}

function noAlias(name: string, known: readonly Alias[]): TaskmuxError {
  const names = known.map((alias) => alias.name);
  const near = closest(name, names);
  return new TaskmuxError("E703", `Cannot find alias "${name}"`, {
    hint: near === null ? "taskmux alias list" : `did you mean "${near}"?`,
    details: { alias: name, known: names },
  });
}
