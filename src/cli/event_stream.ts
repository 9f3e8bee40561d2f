/**
 * Following events across the end of the daemon: the next one goes on exactly where the last one was.
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import type { ParamsInput, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { Context } from "./context.ts";
import { findDaemon } from "./daemon_access.ts";

/** Pause between two looks for the next daemon. */
const POLL_MS = 200;

/** Which events, and after which one. */
export type FollowParams =
  & Omit<ParamsInput<"event.follow">, "cursor">
  & { readonly cursor: string };

/**
 * Events after the cursor, each once, for as long as it is read. Without a daemon nothing happens that could be told, so
 * the next one is waited for; people are told of that on stderr.
 *
 * @param client The daemon to begin with; closed by the caller.
 * @throws {TaskmuxError} E601 if the next daemon speaks another protocol; what a daemon answers.
 */
export async function* followEvents(
  context: Context,
  client: Client,
  params: FollowParams,
): AsyncGenerator<Result<"event.follow">, void, void> {
  let { cursor } = params;
  let next: Client | null = null;
  try {
    while (true) {
      const news = (next ?? client).stream("event.follow", {
        ...params,
        cursor,
      });
      try {
        for await (const item of news) {
          if ("event" in item) cursor = String(item.seq);
          yield item;
        }
      } catch (error) {
        if (!isLost(error)) throw error;
      }
      await next?.close();
      await context.output.notes([
        "(the daemon has ended; waiting for the next one)",
      ]);
      next = await nextDaemon(context);
    }
  } finally {
    await next?.close();
  }
}

function isLost(error: unknown): boolean {
  return error instanceof TaskmuxError && error.code === "E600";
}

async function nextDaemon(context: Context): Promise<Client> {
  while (true) {
    const client = await findDaemon(context);
    if (client !== null) return client;
    await systemClock.sleep(POLL_MS);
  }
}
