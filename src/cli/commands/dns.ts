/**
 * `taskmux dns`: how this machine resolves host names.
 *
 * @module
 */

import type { Client } from "../../client/client.ts";
import type { Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { ask, askOrRead, needDaemon, requireDaemon } from "../daemon_access.ts";
import { dnsLines, nextLines } from "../render/dns.ts";

/** Tells how names are resolved. */
export const dnsStatus = command({
  usage: "",
  about: "Tells which way host names take to this machine, whether ordinary " +
    "programs find them, and what to\ntype if they do not. Changes nothing.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux dns status", "When a name is not found"]],
  async run(context) {
    const { output } = context;
    const result = await askOrRead(context, ["dns.status", {}], async () => {
      const { readDnsStatus } = await import("../../offline/dns.ts");
      return await readDnsStatus(context.paths);
    });
    await output.answer(result, () => dnsLines(result, output.paint));
    return EXIT.ok;
  },
});

/** Has names resolved. */
export const dnsInstall = command({
  usage: "",
  about: "Has this machine resolve the names of all projects, now and " +
    "whenever they change. Does nothing\nwhere they are resolved already. " +
    "Writes the hosts file, or with host_resolver = dns_server the\n" +
    "settings of systemd-resolved or macOS. As root, or by sudo; it never " +
    "asks for a password.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux dns install", "Where sudo needs no password"],
    ['sudo env "PATH=$PATH" taskmux dns install', "Elsewhere"],
  ],
  async run(context) {
    const { output } = context;
    await using client = await needDaemon(context);
    const result = await client.call("dns.install", {}).catch((error) =>
      byRoot(context, client, { action: "install", error })
    );
    await output.answer(result, () => [
      ...result.resolver === "noop" ? [`Nothing to do: ${result["detail"]}`] : [
        result.changed
          ? `Names below .${result.tld} resolve: ${result["detail"]}`
          : `Nothing to do: ${result["detail"]}`,
      ],
      ...nextLines(result.next),
    ]);
    return EXIT.ok;
  },
});

/** Takes that back. */
export const dnsUninstall = command({
  usage: "",
  about: "Removes what taskmux wrote into files of the system, and nothing " +
    "else, and leaves them alone from\nthen on.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux dns uninstall", "Names are no business of taskmux's"]],
  async run(context) {
    const { output } = context;
    await using client = await needDaemon(context);
    const result = await client.call("dns.uninstall", {}).catch((error) =>
      byRoot(context, client, { action: "uninstall", error })
    );
    await output.answer(result, () => [
      result.changed ? "Removed what taskmux wrote" : "There was nothing",
      ...nextLines(result.next),
    ]);
    return EXIT.ok;
  },
});

/** Empties caches of names. */
export const dnsFlush = command({
  usage: "",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux dns flush", "A name that was missing a moment ago"]],
  async run(context) {
    const { output } = context;
    await using client = await needDaemon(context);
    const result = await client.call("dns.flush", {});
    await output.answer(result, () => [
      result.changed
        ? "Nothing is remembered of names"
        : "Nothing remembers names here",
      ...nextLines(result.next),
    ]);
    return EXIT.ok;
  },
});

/** Asks our DNS server. */
export const dnsQuery = command({
  usage: "NAME [--type TYPE]",
  about: "Asks the DNS server of the daemon, not the machine: that is what " +
    "status tells. The server runs\nwith host_resolver = dns_server.",
  options: {
    type: {
      type: "string",
      value: "TYPE",
      summary: "A (default), AAAA, HTTPS, SOA, ANY, TYPE64, …",
    },
  },
  positionals: { min: 1, max: 1 },
  examples: [
    ["taskmux dns query api.shop.localhost", "What the server answers"],
    ["taskmux dns query api.shop.localhost --type AAAA", "By IPv6"],
  ],
  async run(context, { values, positionals: [name = ""] }) {
    const { output } = context;
    await using client = await requireDaemon(context);
    const result = await ask(client, "dns.query", {
      name,
      ...values.type === null ? {} : { type: values.type },
    });
    const { type, rcode, answers } = result;
    await output.answer(
      result,
      () =>
        rcode !== "NOERROR"
          ? [`${name} ${type} -> ${rcode}`]
          : answers.length === 0
          ? [`${name} ${type} -> (empty)`]
          : answers,
    );
    return EXIT.ok;
  },
});

/** Does itself what the daemon may not, if this command runs as root for the daemon's user. */
async function byRoot(
  { paths, user }: Context,
  client: Client,
  { action, error }: {
    readonly action: "install" | "uninstall";
    readonly error: unknown;
  },
): Promise<Result<"dns.install">> {
  const isRoots = error instanceof TaskmuxError &&
    error.details?.["needs_root"] === true && user !== null;
  if (!isRoots) throw error;
  const { changeAsRoot } = await import("../../offline/dns.ts");
  const before = await ask(client, "dns.status", {});
  const change = await changeAsRoot(action, paths, before);
  // The daemon looks anew.
  const after = await ask(client, "dns.status", {});
  const { resolver, tld, port, names, skipped, detail } = after;
  return {
    ok: true,
    resolver: resolver === "auto" ? "noop" : resolver,
    tld,
    changed: change.changed,
    next: [...change.next],
    port,
    names,
    skipped,
    detail,
  };
}
