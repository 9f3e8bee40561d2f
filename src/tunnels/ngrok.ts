/**
 * ngrok, by its program of version 3. The name is the one of the account, or one that was reserved there.
 *
 * Nothing is asked of its own web interface: that takes the next free port when 4040 is in use, and does not listen at all
 * where the user's settings say so. The address is in its log.
 *
 * @module
 */

import { shellText } from "../kit/shell_words.ts";
import { explainNgrok } from "./ngrok_words.ts";
import { checkProgram, type NeededProgram } from "./program_check.ts";
import type {
  RunningTunnel,
  TunnelCheck,
  TunnelContext,
  TunnelProvider,
  TunnelTarget,
} from "./tunnel_provider.ts";

/** Between two looks for the address. */
const LOOK_AGAIN_MS = 200;

const TOKEN_PAGE = "https://dashboard.ngrok.com/get-started/your-authtoken";

/** Has `--url`. Older ones are not served any more. */
const NGROK: NeededProgram = {
  program: "ngrok",
  versionArgs: ["version"],
  install: Deno.build.os === "darwin"
    ? "brew install ngrok"
    : "Install ngrok: https://ngrok.com/download",
  update: "ngrok update",
  minimum: "3.16.0",
};

const STARTED = /msg="started (?:tunnel|endpoint)".* url=(https:\/\/[^\s"]+)/;

/** The provider `ngrok`. */
export const ngrok: TunnelProvider = {
  backend: "ngrok",
  carries: "task",
  hostnames: "optional",
  reaches: ["public"],
  check: async (targets, context, signal) => {
    const program = await checkProgram(NGROK, context, signal);
    if (!program.check.ok) return [program.check];
    return [
      program.check,
      await checkToken(context, signal),
      ...targets.filter(hasFreeName).map(tellOfPage),
    ];
  },
  open: ([target]) =>
    Promise.resolve(
      target === undefined ? null : {
        name: `tunnel-${target.task}`,
        command: `exec ${shellText(wordsFor(target))}`,
        env: {},
        healthUrl: null,
        readyLog: 'msg="started (tunnel|endpoint)"',
      },
    ),
  addressOf: (_target, running, context, signal) =>
    addressOf(running, context, signal),
  close: () => Promise.resolve({ removed: [], left: [] }),
  explain: explainNgrok,
};

/**
 * Without `--log-format` a terminal gets colours, and without `--log` a drawn screen. What comes through is not kept for
 * its web interface: the gate's passwords and links are in it.
 */
function wordsFor({ origin, hostname }: TunnelTarget): string[] {
  return [
    "ngrok",
    "http",
    "--log=stdout",
    "--log-format=logfmt",
    "--inspect=false",
    ...(hostname === null ? [] : [`--url=https://${hostname}`]),
    origin,
  ];
}

async function addressOf(
  running: RunningTunnel | null,
  { clock }: TunnelContext,
  signal: AbortSignal,
): Promise<string> {
  while (true) {
    const found = (await running?.findLine(STARTED))?.[1];
    if (found !== undefined) return new URL(found).origin;
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

async function checkToken(
  context: TunnelContext,
  signal: AbortSignal,
): Promise<TunnelCheck> {
  const name = "ngrok_authtoken";
  const inEnvironment = context.env.NGROK_AUTHTOKEN;
  if (inEnvironment !== undefined && inEnvironment !== "") {
    context.noteSecret(inEnvironment);
    const detail = "NGROK_AUTHTOKEN is set";
    return { name, ok: true, detail, fix: null };
  }
  const outcome = await context.run(["ngrok", "config", "check"], signal);
  const output = "output" in outcome ? outcome.output : "";
  // It does not tell whether there is a token, only which file it reads. A line of it may have the token in it.
  const path = /Valid configuration file at (\/.*\S)/.exec(output)?.[1];
  const token = path === undefined ? null : await readToken(path);
  if (path !== undefined && token !== null) {
    context.noteSecret(token);
    return { name, ok: true, detail: `It is in "${path}"`, fix: null };
  }
  const isBroken = path === undefined && !/no such file/i.test(output);
  return {
    name,
    ok: false,
    detail: isBroken
      ? "The settings of ngrok cannot be read"
      : "ngrok has no authtoken, and works with an account only",
    fix: isBroken
      ? "ngrok config check"
      : `ngrok config add-authtoken TOKEN, with the one of ${TOKEN_PAGE}`,
  };
}

async function readToken(path: string): Promise<string | null> {
  try {
    const text = await Deno.readTextFile(path);
    const [, quoted] = /^\s*authtoken:\s*(\S+)\s*(?:#.*)?$/m.exec(text) ?? [];
    const token = quoted?.replace(/^(["'])(.*)\1$/, "$2");
    return token === undefined || token === "" ? null : token;
  } catch (error) {
    // Whatever is wrong with the file, ngrok finds no token in it either.
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}

function hasFreeName({ hostname }: TunnelTarget): boolean {
  return hostname === null || /\.ngrok-free\.[a-z]+$/.test(hostname);
}

function tellOfPage({ task }: TunnelTarget): TunnelCheck {
  return {
    name: `ngrok_page:${task}`,
    ok: true,
    detail: "Where the account does not pay, browsers see a page of ngrok's " +
      "first; requests with a header ngrok-skip-browser-warning do not",
    fix: null,
  };
}
