/**
 * A project in a git repository of its own, with as many linked worktrees as a test adds.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TestProject } from "./project.ts";
import type { Taskmux } from "./taskmux.ts";

/** Runs git, which must succeed, without the settings of this machine. Answers with what it printed. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["-c", "user.name=T", "-c", "user.email=t@example.com", ...args],
    cwd,
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** A primary checkout with its project. */
export class TestRepository {
  readonly main: TestProject;
  readonly #taskmux: Taskmux;

  constructor(taskmux: Taskmux, main: TestProject) {
    this.#taskmux = taskmux;
    this.main = main;
  }

  /** Adds a linked worktree in a folder beside the primary checkout, on a new branch of the same name or the one given. */
  async add(folder: string, branch = folder): Promise<TestProject> {
    const { folder: main } = this.main;
    await git(main, "worktree", "add", "-q", "-b", branch, `../${folder}`);
    return this.at(folder);
  }

  /** The project of a checkout that is there. */
  at(folder: string): TestProject {
    const { home: { work } } = this.#taskmux;
    return new TestProject(this.#taskmux, `${work}/${folder}`);
  }
}

/** A repository whose first commit holds this `taskmux.toml`, on branch `main`. */
export async function testRepository(
  taskmux: Taskmux,
  toml: string,
  folder = "main",
): Promise<TestRepository> {
  const main = await taskmux.project(toml, folder);
  await git(main.folder, "init", "-q", "-b", "main");
  await git(main.folder, "add", ".");
  await git(main.folder, "commit", "-q", "-m", "first");
  return new TestRepository(taskmux, main);
}
