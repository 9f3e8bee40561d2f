/**
 * What makes the clients of a shell trust the bundle: the file the shell reads when it starts, and the lines for it.
 *
 * @module
 */

import { clientVariables, SYSTEM_BUNDLES } from "../domain/client_variables.ts";
import { TaskmuxError } from "../domain/error.ts";
import { fishQuote, shellQuote } from "../kit/shell_words.ts";

/** The shells whose files are known. */
export const TRUST_SHELLS = ["zsh", "bash", "fish"] as const;

/** One of them. */
export type TrustShell = typeof TRUST_SHELLS[number];

/** A shell of a user, and what it is to read. */
export interface ShellTrust {
  readonly shell: TrustShell;
  /** Absolute. */
  readonly rcFile: string;
  /** Set each variable that nobody else has set. */
  readonly lines: readonly string[];
  /** What to type in a shell that runs already. */
  readonly sourceCommand: string;
}

/**
 * The shell that is asked for, else the one of SHELL.
 *
 * @throws {TaskmuxError} E500 for any other shell, or without HOME.
 */
export function shellTrust(
  { shell, env, bundle }: {
    readonly shell: string | null;
    readonly env: Readonly<Record<string, string>>;
    readonly bundle: string;
  },
): ShellTrust {
  const wanted = shell ?? env["SHELL"]?.split("/").at(-1) ?? "";
  const known = TRUST_SHELLS.find((each) => each === wanted);
  if (known === undefined) {
    throw new TaskmuxError(
      "E500",
      `Cannot set variables for shell "${wanted}": it must be one of ${
        TRUST_SHELLS.join(", ")
      }`,
      { hint: "taskmux ca trust-clients --shell bash" },
    );
  }
  const rcFile = rcFileOf(known, env);
  const quoted = known === "fish" ? fishQuote(rcFile) : shellQuote(rcFile);
  return {
    shell: known,
    rcFile,
    lines: linesFor(known, bundle),
    sourceCommand: `source ${quoted}`,
  };
}

/**
 * A value that somebody else has set stays, unless it is what the bundle holds as well. A bundle that is gone must not
 * break every connection, so it is looked for.
 */
function linesFor(shell: TrustShell, bundle: string): string[] {
  const known = [bundle, ...SYSTEM_BUNDLES.filter(isThere)];
  const quote = shell === "fish" ? fishQuote : shellQuote;
  return Object.entries(clientVariables(bundle)).map(([name, value]) =>
    shell === "fish"
      ? `test -r ${quote(value)}; ` +
        `and contains -- "$${name}" '' ${known.map(quote).join(" ")}; ` +
        `and set -gx ${name} ${quote(value)}`
      : `[ -r ${quote(value)} ] && ` +
        `case "\${${name}-}" in ''|${known.map(quote).join("|")}) ` +
        `export ${name}=${quote(value)} ;; esac`
  );
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied
    ) return false;
    throw error;
  }
}

function rcFileOf(
  shell: TrustShell,
  env: Readonly<Record<string, string>>,
): string {
  const home = env["HOME"];
  if (home === undefined || !home.startsWith("/")) {
    throw new TaskmuxError(
      "E500",
      "Cannot find the file of the shell: HOME is not set",
      { hint: "taskmux ca trust-clients --print" },
    );
  }
  if (shell === "zsh") return `${home}/.zshenv`;
  if (shell === "bash") return `${home}/.bashrc`;
  const config = env["XDG_CONFIG_HOME"];
  return `${
    config?.startsWith("/") ? config : `${home}/.config`
  }/fish/config.fish`;
}
