/**
 * The commands: names and one line each. What a command takes and does is in its module, which is loaded when it is
 * called, because loading all of them would cost more than most of them do.
 *
 * @module
 */

import type { AnyCommand } from "./command.ts";

/** One line of the table. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** The command; absent when only its subcommands do something. */
  readonly load?: () => Promise<AnyCommand>;
  readonly subcommands?: readonly CommandEntry[];
}

/** Groups in the order of the help. */
export const COMMAND_GROUPS: readonly (readonly [
  title: string,
  entries: readonly CommandEntry[],
])[] = [
  ["Lifecycle", [
    {
      name: "start",
      summary: "Start tasks and what they depend on",
      load: async () => (await import("./commands/start.ts")).start,
    },
    {
      name: "stop",
      summary: "Stop tasks gracefully, dependents first",
      load: async () => (await import("./commands/stop.ts")).stop,
    },
    {
      name: "restart",
      summary: "Stop tasks and start them again",
      load: async () => (await import("./commands/restart.ts")).restart,
    },
    {
      name: "kill",
      summary: "End tasks at once, without hooks",
      load: async () => (await import("./commands/kill.ts")).kill,
    },
    {
      name: "run",
      summary: "Run a command as an ad-hoc task",
      load: async () => (await import("./commands/run.ts")).run,
    },
    {
      name: "ensure",
      summary: "Have tasks up and healthy",
      load: async () => (await import("./commands/ensure.ts")).ensure,
    },
    {
      name: "wait",
      summary: "Wait until tasks reach a condition",
      load: async () => (await import("./commands/wait.ts")).wait,
    },
    {
      name: "attach",
      summary: "Look at a task's terminal and type into it",
      load: async () => (await import("./commands/attach.ts")).attach,
    },
  ]],
  ["Looking", [
    {
      name: "status",
      aliases: ["list", "ls"],
      summary: "Show every task and its state",
      load: async () => (await import("./commands/status.ts")).status,
    },
    {
      name: "health",
      summary: "Probe tasks now",
      load: async () => (await import("./commands/health.ts")).health,
    },
    {
      name: "inspect",
      summary: "Show everything known about one task",
      load: async () => (await import("./commands/inspect.ts")).inspect,
    },
    {
      name: "why",
      summary: "Explain a task's state, and what to do",
      load: async () => (await import("./commands/why.ts")).why,
    },
    {
      name: "logs",
      summary: "Read, search and follow output",
      load: async () => (await import("./commands/logs.ts")).logs,
    },
    {
      name: "errors",
      summary: "Digest what went wrong: each error once, with its place",
      load: async () => (await import("./commands/errors.ts")).errors,
    },
    {
      name: "events",
      summary: "List what happened",
      load: async () => (await import("./commands/events.ts")).events,
    },
    {
      name: "env",
      summary: "Print the project's variables for a shell",
      load: async () => (await import("./commands/env.ts")).env,
    },
    {
      name: "url",
      summary: "Print the address of a task or alias",
      load: async () => (await import("./commands/url.ts")).url,
    },
    {
      name: "open",
      summary: "Open the address of a task or alias in the browser",
      load: async () => (await import("./commands/open.ts")).open,
    },
    {
      name: "worktree",
      summary: "Tell of the git worktrees of a project",
      subcommands: [
        {
          name: "list",
          summary: "List the checkouts of this repository",
          load: async () =>
            (await import("./commands/worktree.ts")).worktreeList,
        },
        {
          name: "status",
          summary: "Tell what this checkout is called",
          load: async () =>
            (await import("./commands/worktree.ts")).worktreeStatus,
        },
        {
          name: "urls",
          summary: "List every address of this checkout",
          load: async () =>
            (await import("./commands/worktree.ts")).worktreeUrls,
        },
      ],
    },
    {
      name: "who",
      summary: "Tell who holds a port, and for which task",
      load: async () => (await import("./commands/who.ts")).who,
    },
    {
      name: "watch",
      summary: "Watch the configuration and its reloads",
      load: async () => (await import("./commands/watch.ts")).watch,
    },
  ]],
  ["Configuration", [
    {
      name: "init",
      summary: "Write a starter taskmux.toml, and tell agents of it",
      load: async () => (await import("./commands/init.ts")).init,
    },
    {
      name: "inject",
      summary: "Tell agents of taskmux in CLAUDE.md and AGENTS.md",
      load: async () => (await import("./commands/inject.ts")).inject,
    },
    {
      name: "add",
      summary: "Add a task to taskmux.toml",
      load: async () => (await import("./commands/add.ts")).add,
    },
    {
      name: "remove",
      summary: "Stop a task and remove it from taskmux.toml",
      load: async () => (await import("./commands/remove.ts")).remove,
    },
    {
      name: "alias",
      summary: "Names for ports that are no task's",
      subcommands: [
        {
          name: "add",
          summary: "Give a port that is no task's a name",
          load: async () => (await import("./commands/alias.ts")).aliasAdd,
        },
        {
          name: "list",
          summary: "List the names of such ports",
          load: async () => (await import("./commands/alias.ts")).aliasList,
        },
        {
          name: "remove",
          summary: "Take the name of such a port away",
          load: async () => (await import("./commands/alias.ts")).aliasRemove,
        },
      ],
    },
    {
      name: "check",
      summary: "Check taskmux.toml",
      load: async () => (await import("./commands/check.ts")).check,
    },
    {
      name: "config",
      summary: "Settings of this machine",
      subcommands: [
        {
          name: "show",
          summary: "Show every setting",
          load: async () => (await import("./commands/config.ts")).configShow,
        },
        {
          name: "set",
          summary: "Change a setting",
          load: async () => (await import("./commands/config.ts")).configSet,
        },
        {
          name: "path",
          summary: "Tell where the settings are",
          load: async () => (await import("./commands/config.ts")).configPath,
        },
      ],
    },
  ]],
  ["Names", [
    {
      name: "tunnel",
      summary: "Have others reach tasks over the internet",
      subcommands: [
        {
          name: "up",
          summary: "Give a running task a public address",
          load: async () => (await import("./commands/tunnel/up.ts")).tunnelUp,
        },
        {
          name: "down",
          summary: "Have nobody outside reach tasks any more",
          load: async () =>
            (await import("./commands/tunnel/down.ts")).tunnelDown,
        },
        {
          name: "status",
          aliases: ["list"],
          summary: "Tell which tasks are public, and how",
          load: async () =>
            (await import("./commands/tunnel/status.ts")).tunnelStatus,
        },
        {
          name: "link",
          summary: "Make a link that lets one more browser in",
          load: async () =>
            (await import("./commands/tunnel/link.ts")).tunnelLink,
        },
        {
          name: "enable",
          summary: "Have tasks be public whenever they run",
          load: async () =>
            (await import("./commands/tunnel/enable.ts")).tunnelEnable,
        },
        {
          name: "disable",
          summary: "No longer have tasks be public by themselves",
          load: async () =>
            (await import("./commands/tunnel/disable.ts")).tunnelDisable,
        },
        {
          name: "test",
          summary: "Check whether tasks could be made public",
          load: async () =>
            (await import("./commands/tunnel/test.ts")).tunnelTest,
        },
        {
          name: "config",
          summary: "Show the settings of public names",
          load: async () =>
            (await import("./commands/tunnel/config.ts")).tunnelConfig,
        },
        {
          name: "config-set",
          summary: "Change settings of public names",
          load: async () =>
            (await import("./commands/tunnel/config.ts")).tunnelConfigSet,
        },
        {
          name: "logs",
          summary: "Read what tunnels print, or who asked for what",
          load: async () =>
            (await import("./commands/tunnel/logs.ts")).tunnelLogs,
        },
      ],
    },
    {
      name: "dns",
      summary: "How this machine resolves host names",
      subcommands: [
        {
          name: "status",
          summary: "Tell who resolves names, and whether it works",
          load: async () => (await import("./commands/dns.ts")).dnsStatus,
        },
        {
          name: "install",
          summary: "Have this machine resolve host names",
          load: async () => (await import("./commands/dns.ts")).dnsInstall,
        },
        {
          name: "uninstall",
          summary: "Take back what install did",
          load: async () => (await import("./commands/dns.ts")).dnsUninstall,
        },
        {
          name: "flush",
          summary: "Have this machine forget what it remembers of names",
          load: async () => (await import("./commands/dns.ts")).dnsFlush,
        },
        {
          name: "query",
          summary: "Ask taskmux's own DNS server",
          load: async () => (await import("./commands/dns.ts")).dnsQuery,
        },
      ],
    },
    {
      name: "ca",
      summary: "Certificates: who signs them, and who trusts them",
      subcommands: [
        {
          name: "install",
          summary: "Have browsers and programs trust the certificates",
          load: async () => (await import("./commands/ca.ts")).caInstall,
        },
        {
          name: "uninstall",
          summary: "No longer have the certificates trusted",
          load: async () => (await import("./commands/ca.ts")).caUninstall,
        },
        {
          name: "status",
          summary: "Tell who trusts the certificates",
          load: async () => (await import("./commands/ca.ts")).caStatus,
        },
        {
          name: "path",
          summary: "Print the path of the certificate to trust",
          load: async () => (await import("./commands/ca.ts")).caPath,
        },
        {
          name: "trust-clients",
          summary: "Have programs of a shell trust the certificates",
          load: async () => (await import("./commands/ca.ts")).caTrustClients,
        },
        {
          name: "mint",
          summary: "Sign a new certificate for this project",
          load: async () => (await import("./commands/ca_mint.ts")).caMint,
        },
      ],
    },
  ]],
  ["Agents", [
    {
      name: "mcp",
      summary: "Have coding agents see and drive tasks",
      subcommands: [
        {
          name: "install",
          summary: "Set agents up to use taskmux",
          load: async () =>
            (await import("./commands/mcp/install.ts")).mcpInstall,
        },
        {
          name: "uninstall",
          summary: "Take taskmux out of their settings",
          load: async () =>
            (await import("./commands/mcp/install.ts")).mcpUninstall,
        },
        {
          name: "show",
          summary: "Print what to paste into an agent's settings",
          load: async () => (await import("./commands/mcp/show.ts")).mcpShow,
        },
        {
          name: "status",
          summary: "Tell which agents are set up, and connected",
          load: async () =>
            (await import("./commands/mcp/status.ts")).mcpStatus,
        },
        {
          name: "serve",
          summary: "Serve MCP on standard input and output",
          load: async () => (await import("./commands/mcp/serve.ts")).mcpServe,
        },
      ],
    },
  ]],
  ["Housekeeping", [
    {
      name: "doctor",
      summary: "Check the machine and tell what to do",
      load: async () => (await import("./commands/doctor.ts")).doctor,
    },
    {
      name: "logs-clean",
      summary: "Delete log files",
      load: async () => (await import("./commands/logs_clean.ts")).logsClean,
    },
    {
      name: "clean",
      summary: "Delete logs, events or state",
      load: async () => (await import("./commands/clean.ts")).clean,
    },
    {
      name: "prune",
      summary: "Find and remove what crashes left behind",
      load: async () => (await import("./commands/prune.ts")).prune,
    },
    {
      name: "daemon",
      summary: "Run the daemon in the foreground, or manage it",
      load: async () =>
        (await import("./commands/daemon/foreground.ts")).daemonForeground,
      subcommands: [
        {
          name: "start",
          summary: "Start the daemon in the background",
          load: async () =>
            (await import("./commands/daemon/start.ts")).daemonStart,
        },
        {
          name: "stop",
          summary: "Stop every task, then the daemon",
          load: async () =>
            (await import("./commands/daemon/stop.ts")).daemonStop,
        },
        {
          name: "restart",
          summary: "Replace the daemon; tasks run on",
          load: async () =>
            (await import("./commands/daemon/restart.ts")).daemonRestart,
        },
        {
          name: "install",
          summary: "Have the daemon start with the machine",
          load: async () =>
            (await import("./commands/daemon/install.ts")).daemonInstall,
        },
        {
          name: "uninstall",
          summary: "No longer have it start with the machine",
          load: async () =>
            (await import("./commands/daemon/install.ts")).daemonUninstall,
        },
        {
          name: "status",
          summary: "Tell how the daemon is",
          load: async () =>
            (await import("./commands/daemon/status.ts")).daemonStatus,
        },
        {
          name: "list",
          summary: "List every registered project",
          load: async () =>
            (await import("./commands/daemon/list.ts")).daemonList,
        },
        {
          name: "register",
          summary: "Register a project",
          load: async () =>
            (await import("./commands/daemon/register.ts")).daemonRegister,
        },
        {
          name: "unregister",
          summary: "Stop a project's tasks and forget it",
          load: async () =>
            (await import("./commands/daemon/register.ts")).daemonUnregister,
        },
        {
          name: "pid",
          summary: "Print the process id of the daemon",
          load: async () =>
            (await import("./commands/daemon/status.ts")).daemonPid,
        },
      ],
    },
  ]],
];

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = COMMAND_GROUPS.flatMap(
  ([, entries]) => entries,
);

/** The entry of a name or alias. */
export function findEntry(
  name: string,
  entries: readonly CommandEntry[],
): CommandEntry | undefined {
  return entries.find((entry) =>
    entry.name === name || entry.aliases?.includes(name)
  );
}
