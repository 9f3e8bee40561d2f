import { equal, match, rejects } from "node:assert/strict";
import { checkProgram, isOlder } from "../../../src/tunnels/program_check.ts";
import { ProviderWorld } from "../../support/provider_world.ts";

const SIGNAL = new AbortController().signal;

const NEEDED = {
  program: "acme-tunnel",
  versionArgs: ["--version"],
  install: "apt install acme",
  update: "apt upgrade acme",
} as const;

Deno.test("a program is found on the PATH of the environment, and told with its version", async () => {
  await using world = await ProviderWorld.make();
  await world.program(
    "acme-tunnel",
    'test "$1" = --version && echo "acme version 2025.8.1 (built 2025-08-21)"',
  );
  const { check, path, version } = await checkProgram(
    NEEDED,
    world.context,
    SIGNAL,
  );
  equal(path, `${world.root}/bin/acme-tunnel`);
  equal(version, "2025.8.1");
  equal(check.name, "acme_tunnel_binary");
  equal(check.ok, true);
  equal(check.fix, null);
});

Deno.test("a program that is missing, broken, mute or too old is told with what to do", async (t) => {
  await using world = await ProviderWorld.make();
  const cases: readonly (readonly [string, string | null, RegExp, string])[] = [
    [
      "missing",
      null,
      /no program "acme-tunnel" on the PATH/,
      "apt install acme",
    ],
    [
      "broken",
      "echo cannot load libacme >&2; exit 127",
      /does not work: cannot load libacme/,
      "apt upgrade acme",
    ],
    ["mute", "exit 0", /does not work: it says nothing/, "apt upgrade acme"],
    [
      "old",
      "echo 2.3.41",
      /is 2\.3\.41, and 3\.0\.0 is needed/,
      "apt upgrade acme",
    ],
  ];
  for (const [name, text, detail, fix] of cases) {
    await t.step(name, async () => {
      if (text !== null) await world.program("acme-tunnel", text);
      const { check } = await checkProgram(
        { ...NEEDED, minimum: "3.0.0" },
        world.context,
        SIGNAL,
      );
      equal(check.ok, false);
      match(check.detail, detail);
      equal(check.fix, fix);
    });
  }
});

Deno.test("a file of that name that nobody may run is passed over", async () => {
  await using world = await ProviderWorld.make();
  await Deno.writeTextFile(`${world.root}/bin/acme-tunnel`, "text");
  const { path } = await checkProgram(NEEDED, world.context, SIGNAL);
  equal(path, null);
});

Deno.test("an aborted look ends the program", async () => {
  await using world = await ProviderWorld.make();
  const reason = new Error("enough");
  const scope = new AbortController();
  await world.program("acme-tunnel", "kill -STOP $$");
  const checked = checkProgram(NEEDED, world.context, scope.signal);
  scope.abort(reason);
  await rejects(checked, reason);
});

Deno.test("versions are compared number by number", () => {
  equal(isOlder("3.9.0", "3.10.0"), true);
  equal(isOlder("3.10", "3.10.0"), false);
  equal(isOlder("2025.8.1", "2025.8"), false);
  equal(isOlder("2", "3.0.0"), true);
});
