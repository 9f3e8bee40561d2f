/**
 * The address of whatever has a name in a project: of its tasks and aliases.
 *
 * Pure; the one answer for `url`, `open` and `env`, with and without a daemon.
 *
 * @module
 */

import { closest } from "../kit/did_you_mean.ts";
import {
  type Alias,
  rivalOf,
  rivalWarning,
  type Route,
  routesOf,
} from "./alias.ts";
import { TaskmuxError } from "./error.ts";
import { isCatchAllUrl, type ProxyBinding, taskUrl } from "./task_url.ts";

/** What addresses of a project are made of. */
export interface AddressBook {
  readonly projectId: string;
  readonly proxy: ProxyBinding;
  /** In the order of the file. */
  readonly tasks: readonly Route[];
  readonly aliases: readonly Alias[];
}

/** An address. */
export interface Address {
  /** The task or alias. */
  readonly name: string;
  readonly host: string | null;
  /** Null = it has neither a host that is served nor a port. */
  readonly url: string | null;
  /** Where others reach it now; null = nowhere. */
  readonly publicUrl: string | null;
}

/** The addresses of everything that has one, tasks first. */
export function addressesOf(book: AddressBook): Address[] {
  return routesOf(book.tasks, book.aliases).map((route) =>
    addressOf(book, route)
  );
}

/**
 * The address of one task or alias.
 *
 * @throws {TaskmuxError} E200 if there is none of that name, E700 if it has no address, E702 if it is an alias and a task
 * has its host.
 */
export function findAddress(
  book: AddressBook,
  name: string,
): Address & { readonly url: string } {
  const route = routesOf(book.tasks, book.aliases)
    .find((each) => each.name === name);
  if (route === undefined) throw missing(book, name);
  const address = addressOf(book, route);
  const { url } = address;
  if (url !== null) return { ...address, url };
  throw new TaskmuxError(
    "E700",
    route.host === null
      ? `Cannot tell the address of task "${name}": it has no host and no port`
      : `Cannot tell the address of task "${name}" yet: no proxy listens, and no port is assigned`,
    {
      hint: route.host === null
        ? `Give it host = "${name}" in taskmux.toml`
        : `taskmux start ${name}`,
      details: { task: name },
    },
  );
}

/**
 * The address of one task or alias for a browser, which can open one name only.
 *
 * @throws {TaskmuxError} As {@linkcode findAddress}, and E701 if its host is every other name.
 */
export function findPage(
  book: AddressBook,
  name: string,
): Address & { readonly url: string } {
  const address = findAddress(book, name);
  if (!isCatchAllUrl(address.url)) return address;
  throw new TaskmuxError(
    "E701",
    `Cannot open task "${name}": its host "*" is every name that no other has`,
    {
      hint: `Open one of them, such as ${address.url.replace("*", "anything")}`,
      details: { task: name, url: address.url },
    },
  );
}

/**
 * The public address of a task.
 *
 * @throws {TaskmuxError} E200 if there is nothing of that name, E702 as {@linkcode findAddress}, E743 if others cannot
 * reach it.
 */
export function findPublicUrl(book: AddressBook, name: string): string {
  const route = routesOf(book.tasks, book.aliases)
    .find((each) => each.name === name);
  if (route === undefined) throw missing(book, name);
  if (route.publicUrl !== undefined) return route.publicUrl;
  const isTask = book.tasks.some((task) => task.name === name);
  throw new TaskmuxError(
    "E743",
    isTask
      ? `Task '${name}' has no open tunnel`
      : `Cannot tell the public address of alias "${name}": only tasks can be public`,
    {
      hint: isTask ? `taskmux tunnel up ${name}` : `taskmux url ${name}`,
      details: isTask ? { task: name } : { alias: name },
    },
  );
}

/** One alias as it is told. */
export interface AliasView extends Alias {
  /** Null when a task has its host or name. */
  readonly url: string | null;
  /** Index signature for answers that may grow. */
  readonly [key: string]: unknown;
}

/** The aliases as they are told, sorted by name, and what is wrong with them. */
export function viewAliases(
  book: AddressBook,
): { readonly aliases: AliasView[]; readonly warnings: string[] } {
  const warnings: string[] = [];
  const aliases = book.aliases.toSorted((a, b) => a.name < b.name ? -1 : 1)
    .map((alias) => {
      const rival = rivalOf(alias, book.tasks);
      if (rival !== null) warnings.push(rivalWarning(alias, rival));
      const { url } = addressOf(book, { ...alias, hostPath: "/" });
      return { ...alias, url: rival === null ? url : null };
    });
  return { aliases, warnings };
}

function addressOf(
  { projectId, proxy }: AddressBook,
  { name, publicUrl, ...route }: Route,
): Address {
  const url = taskUrl({ projectId, ...route, proxy });
  return { name, host: route.host, url, publicUrl: publicUrl ?? null };
}

function missing(book: AddressBook, name: string): TaskmuxError {
  const alias = book.aliases.find((each) => each.name === name);
  const rival = alias === undefined ? null : rivalOf(alias, book.tasks);
  if (alias !== undefined && rival !== null) {
    return new TaskmuxError(
      "E702",
      `Cannot tell the address of alias "${name}": task "${rival.name}" has its host "${alias.host}"`,
      {
        hint: `taskmux url ${rival.name}`,
        details: { alias: name, task: rival.name },
      },
    );
  }
  const known = [...book.tasks, ...book.aliases].map((each) => each.name);
  const near = closest(name, known);
  return new TaskmuxError(
    "E200",
    `Cannot find "${name}": no task and no alias has that name`,
    {
      hint: near === null ? "taskmux status" : `did you mean "${near}"?`,
      details: { task: name, known },
    },
  );
}
