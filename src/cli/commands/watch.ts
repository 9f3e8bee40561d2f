/**
 * `taskmux watch`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { ask, needDaemon, unnamed } from "../daemon_access.ts";
import { followEvents } from "../event_stream.ts";
import { projectScope } from "../project.ts";
import { eventLine, type EventRecord } from "../render/events.ts";

const TYPES = ["config_reloaded", "config_error", "project_unregistered"];

/** Watches the configuration. */
export const watch = command({
  usage: "",
  about: "The daemon reads taskmux.toml again whenever it is saved. This " +
    "shows each time, and what it\nthought of it, until Ctrl-C.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux watch", "While editing taskmux.toml"]],
  async run(context) {
    const { output } = context;
    const { config } = projectScope(context);
    const nameless = unnamed(context);
    await using client = await needDaemon(nameless);
    const { entry } = await ask(client, "project.register", { config });
    const filter = { scope: { session: entry.session }, types: TYPES };
    const { cursor } = await ask(client, "event.list", { ...filter, limit: 1 });
    await output.warnEndless("taskmux status tells of a file that is wrong");
    await output.notes([`Watching ${config} (Ctrl-C ends)`]);
    const events = followEvents(nameless, client, { ...filter, cursor });
    for await (const item of events) {
      if (output.json) await output.value(item);
      else if ("event" in item) {
        await output.lines([
          eventLine(item as EventRecord, {
            paint: output.paint,
            withSession: false,
          }),
        ]);
      }
      if (output.isClosed) break;
    }
    return EXIT.ok;
  },
});
