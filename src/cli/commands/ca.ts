/**
 * `taskmux ca`: which clients trust the certificate authority.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { askOrRead, needDaemon } from "../daemon_access.ts";
import { exitStatus } from "../exit_status.ts";
import { interruptible } from "../interrupt.ts";
import { withLiveView } from "../live_view.ts";
import { errorLines } from "../render/error.ts";
import { statusLines, storeLines } from "../render/trust.ts";

/** What decides which stores and which shell are the caller's. */
const VARIABLES = [
  "HOME",
  "PATH",
  "SHELL",
  "JAVA_HOME",
  "XDG_DATA_HOME",
  "XDG_CONFIG_HOME",
  "CAROOT",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "SSL_CERT_FILE",
];

/** Has every store trust the authority. */
export const caInstall = command({
  usage: "",
  about:
    "Makes the certificate authority if there is none, and has it trusted by " +
    "the system, by\nChromium and its relatives, by every profile of Firefox, " +
    "and by Java, as far as they are on\nthis machine. Each store is told for " +
    "itself; what needs root is told with the line to type.\nNever asks for a " +
    "password. Safe to repeat. Exit status 1 if a store does not trust it.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux ca install", "No more warnings in browsers"]],
  run: (context) => change(context, "ca.install"),
});

/** Takes the authority out of every store. */
export const caUninstall = command({
  usage: "",
  about:
    "Takes the certificate authority of this taskmux out of every store, and " +
    "nothing else. The\nauthority itself stays, and so do the lines of ca trust-clients.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux ca uninstall", "Nobody trusts it any more"]],
  run: (context) => change(context, "ca.uninstall"),
});

/** Tells which stores trust it. */
export const caStatus = command({
  usage: "",
  about: "Starts and changes nothing.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux ca status", "Who trusts the certificates?"]],
  async run(context) {
    const { paths, output } = context;
    const environment = environmentOf(context);
    const result = await askOrRead(
      context,
      ["ca.status", { environment }],
      async () => {
        const { readTrust } = await import("../../offline/trust.ts");
        return await readTrust({ paths, env: environment });
      },
    );
    await output.answer(result, () => statusLines(result, output.paint));
    return EXIT.ok;
  },
});

/** Tells where its certificate is. */
export const caPath = command({
  usage: "",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [
    ['curl --cacert "$(taskmux ca path)" URL', "For a client on its own"],
  ],
  async run(context) {
    const { paths, output } = context;
    const { readCaPath } = await import("../../offline/ca_path.ts");
    const path = await readCaPath({ paths, env: context.env() });
    if (path === null) {
      throw new TaskmuxError(
        "E710",
        "Cannot tell the path of the certificate: there is none yet",
        { hint: "taskmux ca install" },
      );
    }
    await output.answer({ ok: true, path }, () => [path]);
    return EXIT.ok;
  },
});

/** Has what is started in a shell trust it. */
export const caTrustClients = command({
  usage: "[--shell zsh|bash|fish] [--print]",
  about:
    "For programs that look into no store: Node, Python's requests and others " +
    "are told by the\nvariables NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE and " +
    "SSL_CERT_FILE. Writes a marked block\ninto ~/.zshenv, ~/.bashrc or " +
    "~/.config/fish/config.fish, and nothing else of that file\nchanges. They " +
    "name a bundle of the system's own certificates and this one. Needs no root.",
  options: {
    shell: {
      type: "string",
      value: "NAME",
      summary: "zsh, bash or fish (default: $SHELL)",
    },
    print: { type: "boolean", summary: "Print the lines, write no file" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux ca trust-clients", "For every new shell"],
    ['eval "$(taskmux ca trust-clients --shell bash --print)"', "For this one"],
  ],
  async run(context, { values }) {
    const { output } = context;
    const result = await interruptible(
      "Stopped waiting: it goes on",
      async (signal) => {
        await using client = await needDaemon(context, signal);
        return await client.call("ca.trust_clients", {
          environment: environmentOf(context),
          ...values.shell === null ? {} : { shell: values.shell },
          print: values.print,
        }, { signal });
      },
    );
    await output.answer(result, () => clientLines(result));
    await output.notes(
      (result.warnings ?? []).map((warning) => `Warning: ${warning}`),
    );
    return EXIT.ok;
  },
});

async function change(
  context: Context,
  name: "ca.install" | "ca.uninstall",
): Promise<number> {
  const { output } = context;
  const result = await interruptible(
    "Stopped waiting: it goes on",
    async (signal) => {
      // They are told one after the other, by programs that take their time.
      const view = { title: "Telling the certificate stores" };
      return await withLiveView(context, view, async () => {
        await using client = await needDaemon(context, signal);
        const environment = environmentOf(context);
        return await client.call(name, { environment }, { signal });
      });
    },
  );
  await output.answer(result, () => storeLines(result.stores, output.paint));
  const { error, error_code: code } = result;
  if (!result.ok && error !== undefined && code !== undefined) {
    const { hint } = result;
    const shape = {
      error,
      error_code: code,
      ...hint === undefined ? {} : { hint },
    };
    await output.notes(errorLines(shape, output.paintError));
  }
  return exitStatus(result);
}

function clientLines(result: Result<"ca.trust_clients">): string[] {
  const { action, exports, rcFile, sourceCmd } = result;
  if (action === "printed") return (exports ?? "").trimEnd().split("\n");
  if (action === "unchanged") return [`${rcFile} is up to date`];
  return [
    `${action === "wrote" ? "Added to" : "Updated in"} ${rcFile}`,
    `For the shells that run already: ${sourceCmd}`,
  ];
}

function environmentOf(context: Context): Record<string, string> {
  const env = context.env();
  return Object.fromEntries(
    VARIABLES.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
