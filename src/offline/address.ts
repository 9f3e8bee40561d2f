/**
 * `url` and `alias list` without a daemon: addresses as they will be once one runs.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import {
  type AddressBook,
  addressesOf,
  findAddress,
  findPublicUrl,
  viewAliases,
} from "../domain/address.ts";
import { TaskmuxError } from "../domain/error.ts";
import { readAddressBook } from "./address_book.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";

/**
 * The answer of `address.get`.
 *
 * @throws {TaskmuxError} As `findAddress`; E743 for a public one, as nobody gets through without a daemon; what is wrong with the project's file or the host's settings.
 */
export async function readAddress(
  disk: Disk,
  config: string,
  { name, isPublic = false }: {
    readonly name: string;
    readonly isPublic?: boolean;
  },
): Promise<Result<"address.get">> {
  const book = await readBook(disk, config);
  if (isPublic) findPublicUrl(book, name);
  const { url, publicUrl } = findAddress(book, name);
  return { ok: true, task: name, url, public_url: publicUrl };
}

/** The answer of `address.list`. */
export async function readAddresses(
  disk: Disk,
  config: string,
): Promise<Result<"address.list">> {
  const book = await readBook(disk, config);
  return {
    ok: true,
    project_id: book.projectId,
    urls: addressesOf(book).flatMap(({ name: task, host, url }) =>
      url === null ? [] : [{ task, host, url, public_url: null }]
    ),
  };
}

/** The answer of `alias.list`. */
export async function readAliases(
  disk: Disk,
  config: string,
): Promise<Result<"alias.list">> {
  const { aliases, warnings } = viewAliases(await readBook(disk, config));
  return { ok: true, aliases, count: aliases.length, warnings };
}

/** The address that a task will have, null if it is not known yet, and the aliases that it is in the way of. */
export async function readTaskAddress(
  disk: Disk,
  config: string,
  task: string,
): Promise<{ readonly url: string | null; readonly warnings: string[] }> {
  try {
    const book = await readBook(disk, config);
    const address = addressesOf(book).find(({ name }) => name === task);
    return { url: address?.url ?? null, warnings: viewAliases(book).warnings };
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    // Whoever asks has done its work already.
    return { url: null, warnings: [error.message] };
  }
}

async function readBook(disk: Disk, config: string): Promise<AddressBook> {
  using project = await openProjectFiles(disk, config);
  return await readAddressBook(disk, project);
}
