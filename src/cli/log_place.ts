/**
 * Where reading logs begins and what is remembered of where it ended: `--cursor` and `--cursor-name`.
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import { CURSOR_NAME_REGEXP, CURSOR_NAME_RULE } from "../domain/cursor_name.ts";
import { TaskmuxError } from "../domain/error.ts";
import { EXIT } from "../domain/error_codes.ts";
import { systemClock } from "../kit/clock.ts";
import { grouped } from "../kit/grouped.ts";
import type { OptionSpecs } from "./command.ts";
import type { Context } from "./context.ts";
import { ask, findDaemon, requireDaemon } from "./daemon_access.ts";

/** How long a daemon that has ended may take to be replaced, as by `daemon restart`. */
const NEXT_DAEMON_MS = 2_000;

/** Pause between two looks for it. */
const POLL_MS = 100;

/** The options, for every command that reads logs. */
export const PLACE_OPTIONS = {
  cursor: {
    type: "string",
    value: "CURSOR",
    summary: "Only what came after the answer with this cursor",
  },
  "cursor-name": {
    type: "string",
    value: "NAME",
    summary: "Only what is new since the last time with this name",
  },
} as const satisfies OptionSpecs;

/** What was given for them. */
export interface PlaceValues {
  readonly cursor: string | null;
  readonly "cursor-name": string | null;
}

/** What reading gave, as far as it matters to the next time. */
export interface PlaceReached {
  /** Null = the answer did not get out as a whole. */
  readonly cursor: string | null;
  /** Bytes between the two places that are gone. */
  readonly dropped: number;
  /** Exit status; absent = 0. */
  readonly exit?: number;
}

/** An answer whose reader went away. */
export const NOWHERE = { cursor: null, dropped: 0 } as const;

/**
 * Reads from the place that is asked for. A name moves on once the answer is printed, so that nothing is lost to
 * whoever is killed before that; at most it comes again.
 *
 * @param read Reads, prints, and tells where it ended. Null = no place is known: as if none had been asked for.
 * @returns The exit status.
 * @throws {TaskmuxError} E500 if both are given or the name is none, E600 for a name without a daemon.
 */
export async function readFromPlace(
  context: Context,
  { values: { cursor, "cursor-name": name }, config }: {
    readonly values: PlaceValues;
    readonly config: string;
  },
  read: (cursor: string | null) => Promise<PlaceReached>,
): Promise<number> {
  if (name === null) {
    const reached = await read(cursor);
    const { exit = EXIT.ok } = reached;
    if (cursor === null || reached.cursor === null) return exit;
    await tellLoss(context, reached);
    await context.output.notes([`Next: --cursor ${reached.cursor}`]);
    return exit;
  }
  checkName(name, cursor);
  const scope = { config };
  const known = await withDaemon(
    await requireDaemon(context),
    (client) => ask(client, "log.cursor", { scope, cursor_name: name }),
  );
  const reached = await read(known.cursor);
  await tellLoss(context, reached);
  if (!context.output.isClosed && reached.cursor !== null) {
    const { cursor } = reached;
    await confirm(context, { scope, cursor_name: name, cursor });
  }
  return reached.exit ?? EXIT.ok;
}

async function tellLoss(
  { output }: Context,
  { dropped }: PlaceReached,
): Promise<void> {
  if (dropped === 0) return;
  await output.notes([
    `Before that, about ${
      grouped(dropped)
    } bytes are gone: rotated away or deleted`,
  ]);
}

/** A place that has been reached, by its name. */
interface Seen {
  readonly scope: { readonly config: string };
  readonly cursor_name: string;
  readonly cursor: string;
}

/** The answer is out; a daemon that has ended meanwhile makes no error of it. The next one is told, if it comes soon. */
async function confirm(context: Context, seen: Seen): Promise<void> {
  const since = systemClock.monotonic();
  while (!await tryConfirm(context, seen)) {
    if (systemClock.monotonic() - since >= NEXT_DAEMON_MS) {
      await context.output.notes([
        "The daemon has ended and remembers nothing of this; it will come again",
      ]);
      return;
    }
    await systemClock.sleep(POLL_MS);
  }
}

/** @returns Whether a daemon remembers it now. */
async function tryConfirm(context: Context, seen: Seen): Promise<boolean> {
  try {
    // What is new to the caller was told with the answer; this one is not printed.
    const client = await findDaemon({ ...context, news: undefined });
    if (client === null) return false;
    await withDaemon(client, () => ask(client, "log.seen", seen));
    return true;
  } catch (error) {
    const isGone = error instanceof TaskmuxError && error.code === "E600";
    if (!isGone) throw error;
    return false;
  }
}

async function withDaemon<T>(
  client: Client,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

function checkName(name: string, cursor: string | null): void {
  if (cursor !== null) {
    throw new TaskmuxError(
      "E500",
      "Cannot use --cursor and --cursor-name together: each says where to begin",
      { hint: `--cursor-name ${name}` },
    );
  }
  if (!CURSOR_NAME_REGEXP.test(name)) {
    throw new TaskmuxError(
      "E500",
      `Cannot use --cursor-name "${name}": ${CURSOR_NAME_RULE}`,
      { hint: "Write --cursor-name agent-1" },
    );
  }
}
