import assert from "node:assert/strict";
import { systemClock } from "../../src/kit/clock.ts";
import { currentBranch } from "../../src/worktree/current_branch.ts";
import {
  identifyProject,
  type IdentityRequest,
  type ProjectIdentity,
} from "../../src/worktree/identify_project.ts";
import { listWorktrees } from "../../src/worktree/list_worktrees.ts";
import {
  placeOf,
  worktreeFate,
  type WorktreePlace,
} from "../../src/worktree/worktree_fate.ts";

const RULES = {
  enabled: true,
  separator: "-",
  mainBranches: ["main", "master"],
};

/** A folder with a repository `proj` on branch `main`. */
class Repository implements AsyncDisposable {
  readonly root: string;
  readonly proj: string;
  readonly env: Record<string, string>;

  private constructor(root: string) {
    this.root = root;
    this.proj = `${root}/proj`;
    this.env = { PATH: Deno.env.get("PATH") ?? "", HOME: root };
  }

  static async make(): Promise<Repository> {
    const root = await Deno.realPath(
      await Deno.makeTempDir({ prefix: "tmx-git-" }),
    );
    const repository = new Repository(root);
    await repository.git("init", "-q", "-b", "main", repository.proj);
    await repository.git(
      "-C",
      repository.proj,
      "commit",
      "-q",
      "-m",
      "first",
      "--allow-empty",
    );
    return repository;
  }

  async git(...args: string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command("git", {
      args: ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args],
      cwd: this.root,
      env: { ...this.env, GIT_CONFIG_NOSYSTEM: "1" },
      clearEnv: true,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  }

  /** Adds a linked worktree; no branch = detached. */
  async worktree(folder: string, branch: string | null): Promise<string> {
    const path = `${this.root}/${folder}`;
    const how = branch === null ? ["--detach", path] : ["-b", branch, path];
    await this.git("-C", this.proj, "worktree", "add", "-q", ...how);
    return path;
  }

  identify(
    root: string,
    request: Partial<IdentityRequest> = {},
    env: Record<string, string> = {},
  ): Promise<ProjectIdentity> {
    return identifyProject({
      root,
      name: "proj",
      worktree: RULES,
      assigned: null,
      taken: new Set(),
      ...request,
    }, {
      env: { ...this.env, ...env },
      clock: systemClock,
      signal: new AbortController().signal,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

Deno.test("identifyProject knows the primary checkout and its sub-folders", async () => {
  await using repository = await Repository.make();
  const { proj } = repository;
  await Deno.mkdir(`${proj}/services/api`, { recursive: true });
  for (const root of [proj, `${proj}/services/api`]) {
    assert.deepEqual(await repository.identify(root), {
      projectId: "proj",
      worktreeId: null,
      branch: "main",
      isLinked: false,
      worktreePath: proj,
      primaryPath: proj,
      gitDir: `${proj}/.git`,
      commonDir: `${proj}/.git`,
    });
  }
});

Deno.test("identifyProject knows a linked worktree", async () => {
  await using repository = await Repository.make();
  const path = await repository.worktree("w1", "feature/Fix_Bug");
  await Deno.mkdir(`${path}/api`);
  for (const root of [path, `${path}/api`]) {
    assert.deepEqual(await repository.identify(root), {
      projectId: "proj-fix-bug",
      worktreeId: "fix-bug",
      branch: "feature/Fix_Bug",
      isLinked: true,
      worktreePath: path,
      primaryPath: repository.proj,
      gitDir: `${repository.proj}/.git/worktrees/w1`,
      commonDir: `${repository.proj}/.git`,
    });
  }
});

Deno.test("identifyProject calls a detached worktree by its folder or commit", async () => {
  await using repository = await Repository.make();
  const named = await repository.worktree("Det.ached", null);
  const identity = await repository.identify(named);
  assert.equal(identity.projectId, "proj-det-ached");
  assert.equal(identity.branch, null);
  const nameless = await repository.worktree("__", null);
  const { projectId } = await repository.identify(nameless);
  assert.match(projectId, /^proj-sha-[0-9a-f]{7,}$/);
});

Deno.test("identifyProject knows a repository without a commit", async () => {
  await using repository = await Repository.make();
  const path = `${repository.root}/fresh`;
  await repository.git("init", "-q", "-b", "topic", path);
  const identity = await repository.identify(path);
  assert.equal(identity.projectId, "proj");
  assert.equal(identity.branch, "topic");
  assert.equal(identity.isLinked, false);
});

Deno.test("identifyProject knows worktrees of a bare repository", async () => {
  await using repository = await Repository.make();
  const bare = `${repository.root}/bare.git`;
  await repository.git("clone", "-q", "--bare", repository.proj, bare);
  const path = `${repository.root}/checkout`;
  await repository.git("-C", bare, "worktree", "add", "-q", path, "main");
  const identity = await repository.identify(path);
  assert.equal(identity.projectId, "proj-checkout");
  assert.equal(identity.primaryPath, bare);
});

Deno.test("identifyProject keeps an id when a sibling or another branch comes", async () => {
  await using repository = await Repository.make();
  const first = await repository.worktree("w1", "alice/fix");
  const { projectId, worktreeId } = await repository.identify(first);
  assert.equal(projectId, "proj-fix");
  const second = await repository.worktree("w2", "bob/fix");
  const newcomer = await repository.identify(second, {
    taken: new Set([projectId]),
  });
  assert.match(newcomer.projectId, /^proj-fix-[0-9a-f]{6}$/);
  await repository.git("-C", first, "switch", "-q", "-c", "other");
  const assigned = { id: projectId, name: "proj", worktreeId };
  const again = await repository.identify(first, {
    assigned,
    taken: new Set([newcomer.projectId]),
  });
  assert.equal(again.projectId, "proj-fix");
  assert.equal(again.branch, "other");
});

const NOWHERE = {
  projectId: "proj",
  worktreeId: null,
  branch: null,
  isLinked: false,
  worktreePath: null,
  primaryPath: null,
  gitDir: null,
  commonDir: null,
};

Deno.test("identifyProject works outside repositories and without git", async () => {
  await using repository = await Repository.make();
  const plain = `${repository.root}/plain`;
  await Deno.mkdir(plain);
  assert.deepEqual(await repository.identify(plain), NOWHERE);
  assert.deepEqual(await repository.identify("/no/such"), NOWHERE);
  const path = await repository.worktree("w1", "fix");
  assert.deepEqual(
    await repository.identify(path, {}, { PATH: plain }),
    NOWHERE,
  );
});

Deno.test("identifyProject does not obey the repository of a surrounding git command", async () => {
  await using repository = await Repository.make();
  const plain = `${repository.root}/plain`;
  await Deno.mkdir(plain);
  const identity = await repository.identify(plain, {}, {
    GIT_DIR: `${repository.proj}/.git`,
    GIT_WORK_TREE: repository.proj,
  });
  assert.deepEqual(identity, NOWHERE);
});

Deno.test("identifyProject keeps an id when git cannot tell", async () => {
  await using repository = await Repository.make();
  const path = await repository.worktree("w1", "fix");
  const assigned = { id: "proj-fix", name: "proj", worktreeId: "fix" };
  const hanging = `${repository.root}/bin`;
  await Deno.mkdir(hanging);
  await Deno.writeTextFile(
    `${hanging}/git`,
    "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n",
    { mode: 0o755 },
  );
  const env = { PATH: `${hanging}:${repository.env["PATH"]}` };
  const identity = await repository.identify(path, { assigned }, env);
  assert.equal(identity.projectId, "proj-fix");
  assert.equal(identity.isLinked, true);
  // Broken, not absent: the worktree's link leads nowhere.
  await Deno.writeTextFile(`${path}/.git`, "gitdir: /no/such\n");
  const broken = await repository.identify(path, { assigned });
  assert.equal(broken.projectId, "proj-fix");
});

Deno.test("currentBranch() says what git says, without git", async () => {
  await using repository = await Repository.make();
  const { root, proj } = repository;
  await Deno.mkdir(`${proj}/deep/er`, { recursive: true });
  const linked = await repository.worktree("linked", "feat/a'b");
  const detached = await repository.worktree("detached", null);
  await repository.git("init", "-q", "-b", "topic", `${root}/fresh`);
  await Deno.mkdir(`${root}/none`);
  const places = [proj, `${proj}/deep/er`, linked, detached, `${root}/fresh`];
  for (const place of [...places, `${root}/none`]) {
    const { branch } = await repository.identify(place);
    assert.equal(await currentBranch(place), branch, place);
  }
  assert.equal(await currentBranch(linked), "feat/a'b");
  await repository.git("-C", linked, "switch", "-q", "-c", "other");
  assert.equal(await currentBranch(linked), "other");
  // A repository of another format, in which only git finds the branch.
  await Deno.writeTextFile(`${proj}/.git/HEAD`, "ref: refs/heads/.invalid\n");
  assert.equal(await currentBranch(proj), undefined);
});

async function placeAt(
  repository: Repository,
  folder: string,
): Promise<WorktreePlace> {
  const path = await repository.worktree(folder, folder);
  const { gitDir, commonDir } = await repository.identify(path);
  const place = await placeOf({
    path,
    gitDir: gitDir ?? "",
    commonDir: commonDir ?? "",
  });
  assert(place !== null);
  assert.deepEqual(await worktreeFate(place), { kind: "present" });
  return place;
}

Deno.test("worktreeFate tells a worktree that was removed from one that is out of reach", async () => {
  await using repository = await Repository.make();
  const { proj, root } = repository;
  const place = await placeAt(repository, "w1");
  await Deno.remove(place.path, { recursive: true });
  assert.deepEqual(await worktreeFate(place), { kind: "removed" });
  // The file system it was on is not there: what is above is on another one.
  const mounted = { ...place, device: place.device + 1 };
  assert.deepEqual(await worktreeFate(mounted), { kind: "out_of_reach" });
  await repository.git("-C", proj, "worktree", "lock", place.path);
  assert.deepEqual(await worktreeFate(place), { kind: "out_of_reach" });
  await repository.git("-C", proj, "worktree", "unlock", place.path);
  await repository.git("-C", proj, "worktree", "prune");
  assert.deepEqual(await worktreeFate(place), { kind: "removed" });
  // Added again, under another name of git's.
  const again = await placeAt(repository, "w2");
  const stale = { ...again, gitDir: place.gitDir + "-gone" };
  assert.deepEqual(await worktreeFate(stale), { kind: "present" });
  await Deno.rename(proj, `${root}/away`);
  assert.deepEqual(await worktreeFate(again), { kind: "out_of_reach" });
});

Deno.test("worktreeFate finds a worktree that was moved", async () => {
  await using repository = await Repository.make();
  const { proj, root } = repository;
  const place = await placeAt(repository, "w1");
  const path = `${root}/w9`;
  await repository.git("-C", proj, "worktree", "move", place.path, path);
  assert.deepEqual(await worktreeFate(place), { kind: "moved", path });
});

Deno.test("listWorktrees tells every checkout, with an old git too", async () => {
  await using repository = await Repository.make();
  const { proj, root } = repository;
  const odd = await repository.worktree("odd\nname", "a/b");
  const gone = await repository.worktree("gone", null);
  await Deno.remove(gone, { recursive: true });
  const list = (env: Record<string, string>) =>
    listWorktrees(proj, {
      env,
      clock: systemClock,
      signal: new AbortController().signal,
    });
  const plain = { isPrimary: false, isBare: false, isLocked: false };
  const others = [
    { ...plain, path: gone, branch: null, isPrunable: true },
    { ...plain, path: odd, branch: "a/b", isPrunable: false },
  ];
  const primary = {
    ...plain,
    path: proj,
    branch: "main",
    isPrimary: true,
    isPrunable: false,
  };
  assert.deepEqual(await list(repository.env), [primary, ...others]);

  // Before 2.36 there was no -z.
  await repository.git("-C", proj, "worktree", "remove", "-f", odd);
  await Deno.mkdir(`${root}/bin`);
  await Deno.writeTextFile(
    `${root}/bin/git`,
    `#!/bin/sh
for word; do [ "$word" = -z ] && exit 129; done
PATH=$OLD_PATH exec git "$@"
`,
    { mode: 0o755 },
  );
  const path = repository.env["PATH"] ?? "";
  const env = {
    ...repository.env,
    OLD_PATH: path,
    PATH: `${root}/bin:${path}`,
  };
  assert.deepEqual(await list(env), [primary, others[0]]);
  assert.equal(
    await listWorktrees("/", {
      env: repository.env,
      clock: systemClock,
      signal: new AbortController().signal,
    }),
    null,
  );
});
