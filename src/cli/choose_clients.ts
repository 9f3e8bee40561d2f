/**
 * Which clients a command is about: those that were named, else those that a person chooses, else those that are in use.
 *
 * @module
 */

import {
  CLIENT_NAMES,
  findClient,
  MCP_CLIENTS,
  type McpClient,
  type Place,
} from "../agents/mcp_clients.ts";
import { TaskmuxError } from "../domain/error.ts";
import { closest } from "../kit/did_you_mean.ts";
import { isMissing } from "./project.ts";

/**
 * The clients of these names, each once; `all` stands for all.
 *
 * @throws {TaskmuxError} E500 for a name that is none.
 */
export function namedClients(names: readonly string[]): readonly McpClient[] {
  if (names.includes("all")) return MCP_CLIENTS;
  return [...new Set(names)].map((name) => {
    const client = findClient(name);
    if (client !== undefined) return client;
    const near = closest(name, [...CLIENT_NAMES, "all"]);
    throw new TaskmuxError(
      "E500",
      `Cannot set up "${name}": there is no client of that name`,
      {
        hint: near === null
          ? `one of ${CLIENT_NAMES.join(", ")}, all`
          : `did you mean "${near}"?`,
        details: { client: name, clients: [...CLIENT_NAMES] },
      },
    );
  });
}

/** Whether there is anything of a client. */
export function isInUse(client: McpClient, place: Place): boolean {
  return client.marks(place).some((path) => {
    try {
      Deno.statSync(path);
      return true;
    } catch (error) {
      if (
        isMissing(error) || error instanceof Deno.errors.PermissionDenied
      ) return false;
      throw error;
    }
  });
}

/**
 * The clients of this project that are in use. Those of the user are never meant unless they are named.
 *
 * @throws {TaskmuxError} E500 if there is none.
 */
export function usedClients(place: Place): readonly McpClient[] {
  const used = MCP_CLIENTS.filter((client) =>
    client.scope === "project" && isInUse(client, place)
  );
  if (used.length > 0) return used;
  throw new TaskmuxError(
    "E500",
    `Cannot tell which agent is meant: there are no settings of any in "${place.root}"`,
    {
      hint: `taskmux mcp install NAME, one of ${CLIENT_NAMES.join(", ")}, all`,
      details: { clients: [...CLIENT_NAMES] },
    },
  );
}

/** What a person at the terminal chooses; null if nothing. */
export async function askForClients(
  place: Place,
): Promise<readonly McpClient[] | null> {
  const { isCancel, multiselect } = await import("@clack/prompts");
  const chosen = await multiselect({
    message: "Which agents? (space selects, enter goes on)",
    options: MCP_CLIENTS.map((client) => ({
      value: client,
      label: client.name,
      hint: client.scope === "project"
        ? `${client.title}, this project`
        : `${client.title}, everything of this user`,
    })),
    initialValues: MCP_CLIENTS.filter((client) =>
      client.scope === "project" && isInUse(client, place)
    ),
    required: false,
  });
  return isCancel(chosen) || chosen.length === 0 ? null : chosen;
}
