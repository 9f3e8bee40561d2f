/**
 * Handlers of the operations on aliases.
 *
 * @module
 */

import { viewAliases } from "../../domain/address.ts";
import { type Alias, checkAlias, requireFree } from "../../domain/alias.ts";
import { TaskmuxError } from "../../domain/error.ts";
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
    "alias.add": async ({ scope, name, host = name, port }) => {
      const alias: Alias = { name, host, port };
      checkAlias(alias);
      const supervisor = await projects.require(scope);
      const { projectId } = supervisor;
      requireFree(alias, supervisor.addressBook());
      const action = aliases.set(projectId, alias);
      await services.serveNames();
      const { proxy } = supervisor.addressBook();
      const { bound, reason } = frontStatus(services.front);
      return {
        ok: true,
        alias: name,
        host,
        port,
        url: taskUrl({ host, port, projectId, proxy }) ?? "",
        action,
        warnings: bound ? [] : [
          `The proxy does not listen: ${reason}. Until it does, the alias has no name of its own`,
        ],
      };
    },
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

function noAlias(name: string, known: readonly Alias[]): TaskmuxError {
  const names = known.map((alias) => alias.name);
  const near = closest(name, names);
  return new TaskmuxError("E703", `Cannot find alias "${name}"`, {
    hint: near === null ? "taskmux alias list" : `did you mean "${near}"?`,
    details: { alias: name, known: names },
  });
}
