/**
 * The command line, from words to an exit status. Prints every error, throws none.
 *
 * @module
 */

import type { NewsDesk } from "../client/news_desk.ts";
import { type Paths, resolvePaths } from "../config/paths.ts";
import { userEnvironment } from "../config/target_user.ts";
import { type Manner, VERSION } from "../contract/wire.ts";
import { CALLER_ID_RULE, isCallerId } from "../domain/caller_id.ts";
import { diskError } from "../domain/disk_error.ts";
import { TaskmuxError } from "../domain/error.ts";
import { ERROR_CODES, EXIT } from "../domain/error_codes.ts";
import { agentCaller } from "./agent_caller.ts";
import type {
  AnyCommand,
  OptionSpecs,
  ParsedArguments,
  PositionalSpec,
} from "./command.ts";
import { type CommandEntry, COMMANDS, findEntry } from "./command_table.ts";
import type { Context } from "./context.ts";
import {
  COMMON_OPTIONS,
  type GlobalArguments,
  parsePlain,
  splitGlobals,
  wantsHelp,
  wantsJson,
  wantsReveal,
  wantsVersion,
} from "./globals.ts";
import { Output, type TerminalSize } from "./output.ts";

/** How Deno says that a package could not be had, when a command is loaded. */
const NOT_FETCHED =
  /^Failed (?:loading|caching) |error sending request for url/;

/**
 * Runs one command line.
 *
 * @param argv The words after the program's name.
 * @returns The exit status.
 */
export async function runCli(argv: readonly string[]): Promise<number> {
  const output = new Output({
    json: wantsJson(argv),
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    stdin: Deno.stdin,
    agent: agentCaller(Deno.env),
    isDumb: Deno.env.get("TERM") === "dumb",
    noColor: (Deno.env.get("NO_COLOR") ?? "") !== "",
    terminalSize,
  });
  try {
    const status = await dispatch(argv, output);
    await output.end();
    return status;
  } catch (error) {
    const known = asTaskmuxError(error);
    await output.error(wantsReveal(argv) ? known : await withoutSecrets(known));
    await output.end();
    return ERROR_CODES[known.code].exit;
  }
}

async function dispatch(
  argv: readonly string[],
  output: Output,
): Promise<number> {
  const globals = splitGlobals(argv);
  if (globals.version || wantsVersion(globals.rest)) {
    await output.answer(
      { ok: true, version: VERSION },
      () => [`taskmux ${VERSION}`],
    );
    return EXIT.ok;
  }
  const words = commandWords(globals);
  if (words === null) return await overview(globals.help, output);
  const path = await resolveCommand(words);
  if (globals.help || words.help || wantsHelp(words.rest)) {
    const { commandHelp } = await import("./help.ts");
    return await help(output, await commandHelp(path.entries));
  }
  const entry = path.entries.at(-1)!;
  if (entry.load === undefined) throw missingSubcommand(path.entries);
  const command = await entry.load();
  const parsed = await parse(path.rest, command);
  const args = checkWords(parsed, command, path.entries);
  return await command.run(await makeContext(globals, args, output), args);
}

/** What was typed from the command on. */
interface CommandWords {
  readonly name: string;
  readonly rest: readonly string[];
  readonly help: boolean;
}

/** `help X` is `X --help`; null = no command at all. */
function commandWords(globals: GlobalArguments): CommandWords | null {
  const { command, rest } = globals;
  if (command === null) return null;
  if (command !== "help") return { name: command, rest, help: false };
  const [name, ...after] = rest.filter((word) => !word.startsWith("-"));
  return name === undefined ? null : { name, rest: after, help: true };
}

/** A command with its group, and what is left of the line. */
interface CommandPath {
  readonly entries: readonly CommandEntry[];
  readonly rest: readonly string[];
}

async function resolveCommand(
  { name, rest }: CommandWords,
): Promise<CommandPath> {
  const entry = findEntry(name, COMMANDS);
  if (entry === undefined) {
    throw await unknownCommand(name, COMMANDS, "taskmux");
  }
  if (entry.subcommands === undefined) return { entries: [entry], rest };
  const at = rest.findIndex((word) => word !== "--json");
  const sub = rest[at];
  if (sub === undefined || sub.startsWith("-")) {
    return { entries: [entry], rest };
  }
  const found = findEntry(sub, entry.subcommands);
  if (found === undefined) {
    throw await unknownCommand(
      sub,
      entry.subcommands,
      `taskmux ${entry.name}`,
    );
  }
  return { entries: [entry, found], rest: rest.toSpliced(at, 1) };
}

async function parse(
  rest: readonly string[],
  command: AnyCommand,
): Promise<ParsedArguments> {
  const options: OptionSpecs = { ...COMMON_OPTIONS, ...command.options };
  const plain = parsePlain(rest, options);
  if (plain !== null) return plain;
  const { parseArguments } = await import("./args.ts");
  return parseArguments(rest, options);
}

/** The arguments as the command takes them, if it takes that many. */
function checkWords(
  args: ParsedArguments,
  command: AnyCommand,
  path: readonly CommandEntry[],
): ParsedArguments {
  const name = path.map((entry) => entry.name).join(" ");
  const hint = `Usage: taskmux ${name} ${command.usage}`.trimEnd();
  const checked = command.takesWords === true || args.words === null
    ? args
    // Without a meaning of its own, `--` only says that what follows is no option.
    : { ...args, positionals: [...args.positionals, ...args.words] };
  checkCount(checked.positionals, command.positionals, { name, hint });
  return checked;
}

function checkCount(
  words: readonly string[],
  allowed: PositionalSpec,
  { name, hint }: { readonly name: string; readonly hint: string },
): void {
  if (words.length < allowed.min) {
    throw new TaskmuxError(
      "E500",
      `Cannot run "taskmux ${name}": it needs more arguments`,
      { hint },
    );
  }
  if (words.length <= allowed.max) return;
  const surplus = words[allowed.max]!;
  throw new TaskmuxError(
    "E500",
    `Cannot run "taskmux ${name}": it takes no argument "${surplus}"`,
    { hint },
  );
}

async function makeContext(
  globals: GlobalArguments,
  { values }: ParsedArguments,
  output: Output,
): Promise<Context> {
  const user = Deno.env.get("SUDO_UID") === undefined
    ? null
    : (await import("./sudo.ts")).sudoUser();
  const folder = workingFolder(globals.folder);
  const config = typeof values["config"] === "string"
    ? values["config"]
    : globals.config;
  const manner = mannerOf(globals, values);
  const paths = resolvePaths({
    TASKMUX_HOME: Deno.env.get("TASKMUX_HOME"),
    HOME: user?.home ?? Deno.env.get("HOME"),
    XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR"),
  });
  return {
    json: output.json,
    folder,
    config: config === null || config.startsWith("/")
      ? config
      : `${folder}/${config}`,
    manner,
    news: manner.caller === undefined
      ? undefined
      : await newsDesk(manner.caller, paths, output),
    paths,
    user,
    env: () =>
      user === null
        ? Deno.env.toObject()
        : userEnvironment(Deno.env.toObject(), user),
    output,
  };
}

/** What is new to the caller is told with the answer. */
async function newsDesk(
  caller: string,
  paths: Paths,
  output: Output,
): Promise<NewsDesk> {
  const { NewsDesk } = await import("../client/news_desk.ts");
  const desk = new NewsDesk(async (event) => {
    const { wasTold } = await import("../offline/caller_marks.ts");
    return wasTold(paths, caller, event);
  });
  output.tellNews(desk);
  return desk;
}

function mannerOf(
  globals: GlobalArguments,
  values: ParsedArguments["values"],
): Manner {
  const caller = values["caller"] ?? globals.caller ??
    Deno.env.get("TASKMUX_CALLER");
  const named = typeof caller === "string" && caller !== "";
  if (named && !isCallerId(caller)) {
    throw new TaskmuxError(
      "E500",
      `Cannot ask as "${caller}": ${CALLER_ID_RULE}`,
      {
        hint: "--caller ID",
      },
    );
  }
  return {
    ...named ? { caller } : {},
    ...globals.reveal || values["reveal"] === true ? { reveal: true } : {},
  };
}

function workingFolder(option: string | null): string {
  try {
    if (option === null) return Deno.cwd();
    const folder = Deno.realPathSync(option);
    if (Deno.statSync(folder).isDirectory) return folder;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new TaskmuxError(
    "E500",
    option === null
      ? "Cannot work here: the current folder does not exist any more"
      : `Cannot work in "${option}": there is no such folder`,
    { hint: option === null ? "cd" : "ls" },
  );
}

/** What the program is; a failure of usage unless it was asked for. */
async function overview(asked: boolean, output: Output): Promise<number> {
  if (output.json && !asked) {
    throw new TaskmuxError("E500", "Cannot do anything: no command given", {
      hint: "taskmux --help",
    });
  }
  const { overviewHelp } = await import("./help.ts");
  await help(output, overviewHelp());
  return asked ? EXIT.ok : EXIT.usage;
}

async function help(output: Output, lines: readonly string[]): Promise<number> {
  await output.answer({ ok: true, help: lines.join("\n") }, () => lines);
  return EXIT.ok;
}

async function unknownCommand(
  name: string,
  known: readonly CommandEntry[],
  program: string,
): Promise<TaskmuxError> {
  const { closest } = await import("../kit/did_you_mean.ts");
  const meant = closest(
    name,
    known.flatMap((entry) => [entry.name, ...entry.aliases ?? []]),
  );
  return new TaskmuxError(
    "E500",
    `Cannot run "${program} ${name}": there is no such command`,
    {
      hint: meant === null
        ? `${program} --help`
        : `did you mean "${program} ${meant}"?`,
      details: { command: name },
    },
  );
}

function missingSubcommand(path: readonly CommandEntry[]): TaskmuxError {
  const program = ["taskmux", ...path.map((entry) => entry.name)].join(" ");
  const names = path.at(-1)?.subcommands?.map((entry) => entry.name) ?? [];
  return new TaskmuxError(
    "E500",
    `Cannot run "${program}": it needs one of ${names.join(", ")}`,
    { hint: `${program} --help` },
  );
}

function terminalSize(): TerminalSize | null {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 ? { width: columns, height: rows } : null;
  } catch {
    // Whatever is wrong, there is no terminal to fit.
    return null;
  }
}

async function withoutSecrets(error: TaskmuxError): Promise<TaskmuxError> {
  const { safeError } = await import("./redaction.ts");
  return safeError(error, Deno.env.toObject());
}

/** What a failure is to the user; anything unforeseen is E900. */
function asTaskmuxError(error: unknown): TaskmuxError {
  if (error instanceof TaskmuxError) return error;
  if (
    error instanceof Deno.errors.NotCapable && error.message.includes("unix:")
  ) {
    return new TaskmuxError(
      "E600",
      "Cannot reach the daemon: taskmux was installed for another state folder",
      {
        hint: "Install it again with the sockets of this TASKMUX_HOME",
        cause: error,
      },
    );
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new TaskmuxError("E900", `Cannot go on: ${error.message}`, {
      hint: "Install taskmux again with every permission flag of its README",
      cause: error,
    });
  }
  const trouble = diskError(error);
  if (trouble !== null) return trouble;
  if (error instanceof TypeError && NOT_FETCHED.test(error.message)) {
    const [reason = ""] = error.message.split("\n");
    return new TaskmuxError("E900", `Cannot load this command: ${reason}`, {
      hint:
        "A part of taskmux is not on this machine yet: try again with a network",
      cause: error,
    });
  }
  return new TaskmuxError(
    "E900",
    `Cannot go on: ${error instanceof Error ? error.message : String(error)}`,
    {
      hint: "This is a defect of taskmux; please report it",
      cause: error,
    },
  );
}
