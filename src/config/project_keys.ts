/**
 * Every key at the top of `taskmux.toml`: the one definition from which reading, error messages and the JSON Schema
 * derive.
 *
 * What a single key cannot say (hosts are unique, dependencies exist) is in `project_rules.ts`.
 *
 * @module
 */

import {
  defaulted,
  flag,
  list,
  optional,
  type Rule,
  section,
  table,
  text,
  type Values,
  within,
} from "./rule.ts";
import { HOOK_FIELDS, paths } from "./task_keys.ts";
import { tasks } from "./task_rule.ts";
import { isTable } from "./toml_value.ts";
import { environment, projectLabel } from "./value_rules.ts";

const WORKTREE_FIELDS = {
  enabled: defaulted(
    flag(),
    true,
    "Whether a linked git worktree gets an identity of its own",
  ),
  separator: defaulted(
    text({
      expected: 'lower-case letters, digits or "-"',
      pattern: /^[a-z0-9-]+$/,
      maxLength: 8,
    }),
    "-",
    "Stands between the project's name and the worktree's",
  ),
  main_branches: defaulted(
    list(text({ expected: "the name of a branch" }), "branch names"),
    ["main", "master"],
    "Branches whose worktrees are named by their folder instead",
  ),
};

const CLOUDFLARE_FIELDS = {
  zone_id: optional(text(), "Zone of the public names, if not the host's"),
  tunnel_name: optional(text(), "Name of the tunnel, if not the host's"),
};

const TUNNEL_FIELDS = {
  cloudflare: section(
    CLOUDFLARE_FIELDS,
    "Cloudflare settings of this project; account and token stand in ~/.taskmux/config.toml",
    withoutToken(table(CLOUDFLARE_FIELDS)),
  ),
};

/** Keys at the top of the file. */
export const PROJECT_FIELDS = {
  name: optional(
    projectLabel(),
    "Name of the project, part of its host names; the folder's name by default",
  ),
  auto_start: defaulted(
    flag(),
    true,
    "Whether taskmux start, without names, starts anything",
  ),
  auto_daemon: defaulted(
    flag(),
    false,
    "Accepted for old files; has no effect, the daemon starts by itself",
  ),
  auto_inject_agents: optional(
    flag(),
    "Whether add and remove refresh the block in CLAUDE.md and AGENTS.md; the host's setting by default",
  ),
  env: defaulted(
    environment(),
    [],
    "Environment variables of every task; $NAME of an earlier one expands",
    null,
  ),
  env_file: defaulted(
    paths,
    [],
    "Files of NAME=value lines for every task, relative to this file's folder",
  ),
  hooks: section(
    HOOK_FIELDS,
    "Commands around a start or stop, before and after the task's own",
  ),
  worktree: section(WORKTREE_FIELDS, "How git worktrees are named"),
  tunnel: section(
    TUNNEL_FIELDS,
    "Settings of public names",
    withoutToken(table(TUNNEL_FIELDS)),
  ),
  tasks: defaulted(
    tasks(),
    new Map(),
    "The tasks by name; each is a table, or a string, which is its command",
    null,
  ),
};

/** What stands at the top of the file. */
export type ProjectValues = Values<typeof PROJECT_FIELDS>;

/** The file is shared and tracked by git: a token, or where to find one, must not stand in it. */
function withoutToken<T>(rule: Rule<T>): Rule<T> {
  return {
    ...rule,
    read(reading) {
      const { value, problems } = reading;
      if (!isTable(value)) return rule.read(reading);
      const rest = Object.assign(Object.create(null), value);
      for (const key of ["api_token", "api_token_env"]) {
        if (!Object.hasOwn(rest, key)) continue;
        delete rest[key];
        problems.add({
          code: "E104",
          message: `Cannot use "${key}"${
            within(reading.path)
          }: a project's file must not hold credentials`,
          path: [...reading.path, key],
          part: "key",
          // A token among the arguments would be seen by every program.
          hint: key === "api_token"
            ? "taskmux tunnel enable"
            : `taskmux config set tunnel.cloudflare.${key} NAME`,
        });
      }
      return rule.read({ ...reading, value: rest });
    },
  };
}
