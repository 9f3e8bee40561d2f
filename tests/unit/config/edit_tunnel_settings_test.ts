import assert from "node:assert/strict";
import {
  editHostTunnels,
  hasTunnelTable,
  tunnelEdit,
  tunnelRemoval,
  writeHostTunnels,
} from "../../../src/config/edit_tunnel_settings.ts";
import { parseProject } from "../../../src/config/project_config.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

const PATH = "/project/taskmux.toml";

/** Layouts that people write. */
const LAYOUTS: readonly string[] = [
  `name = "shop"\n[tasks.api] # first\ncommand = "a"\nhost = "api"\n\n# Last.\n[tasks.web]\ncommand = "b"\nhost = "web"\n`,
  `name = "shop"\n[tasks]\napi = { command = "a", host = "api" } # inline\nweb = { command = "b", host = "web" }\n`,
  `name = "shop"\r\ntasks.api.command = "a"\r\ntasks.api.host = "api"\r\ntasks.web.command = "b"\r\ntasks.web.host = "web"\r\n`,
  `name = "shop"\n[tunnel.cloudflare]\ntunnel_name = "mine" # keep\n[tasks.api]\ncommand = "a"\nhost = "api"\n[tasks.web]\ncommand = "b"\nhost = "web"`,
  `name = "shop"\n[tasks.api]\ncommand = "a"\nhost = "api"\n[tasks.api.env]\nA = "1"\n[tasks.web]\ncommand = "b"\nhost = "web"\n`,
];

for (const [index, before] of LAYOUTS.entries()) {
  Deno.test(`tunnels come into layout ${index} and leave it as it was`, () => {
    const spec = parseProject(before, PATH);
    const tasks = ["api", "web"].map((task) => ({
      task,
      backend: "cloudflare",
      hostname: `${task}.example.com`,
    }));
    const text = tunnelEdit(tasks, "zone1")(before, spec);
    const after = parseProject(text, PATH);
    assert.equal(after.tunnel.zoneId, "zone1");
    assert.equal(after.tunnel.tunnelName, spec.tunnel.tunnelName);
    for (const { task, hostname } of tasks) {
      const { tunnel, publicHostname, digest } = after.tasks.get(task)!;
      assert.deepEqual([tunnel, publicHostname], ["cloudflare", hostname]);
      assert.equal(digest, spec.tasks.get(task)!.digest);
    }
    assert.equal(tunnelEdit(tasks, "zone1")(text, after), text);
    const traces = { zoneId: "zone1", madeTable: !hasTunnelTable(before) };
    const one = tunnelRemoval(["web"], traces)(text, after);
    assert.equal(parseProject(one, PATH).tunnel.zoneId, "zone1");
    assert.equal(
      tunnelRemoval(["api", "web"], traces)(text, after).trimEnd(),
      before.trimEnd(),
    );
  });
}

Deno.test("a zone that somebody set himself stays", () => {
  const text =
    `name = "shop"\n[tunnel.cloudflare]\nzone_id = "his"\n[tasks.api]\ncommand = "a"\nhost = "api"\ntunnel = "cloudflare"\npublic_hostname = "api.example.com"\n`;
  const traces = { zoneId: null, madeTable: false };
  const after = tunnelRemoval(["api"], traces)(text, parseProject(text, PATH));
  assert(after.includes('zone_id = "his"'));
  assert(!after.includes("api.example.com"));
});

Deno.test("settings of the host keep their comments; a token is told masked", () => {
  const { text, updated } = editHostTunnels("# Mine.\napi_port = 1 # one\n", {
    "tunnel.cloudflare.zone_id": "z",
    "cloudflare.account_id": "a",
    api_token: "cf-1234567890",
  });
  assert(text.startsWith("# Mine.\napi_port = 1 # one\n"));
  assert.deepEqual(updated, {
    zone_id: "z",
    account_id: "a",
    api_token: "cf-1***7890",
  });
  assert.throws(
    () => editHostTunnels("", { acount_id: "a" }),
    (error) =>
      error instanceof TaskmuxError && error.code === "E104" &&
      error.hint?.includes("account_id") === true,
  );
});

Deno.test("a file that gets a token is its owner's only, whatever it was", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/state/config.toml`;
    const mode = async () => (await Deno.stat(path)).mode! & 0o777;
    await writeHostTunnels(path, { zone_id: "z" });
    assert.equal(await mode(), 0o600);
    await Deno.chmod(path, 0o644);
    await writeHostTunnels(path, { account_id: "a" });
    assert.equal(await mode(), 0o644);
    await writeHostTunnels(path, { api_token: "cf-1234567890" });
    assert.equal(await mode(), 0o600);
    assert.match(
      await Deno.readTextFile(path),
      /zone_id = "z"[^]*account_id = "a"[^]*api_token = "cf-1234567890"/,
    );
    await assert.rejects(
      writeHostTunnels(path, { zone_id: "y", nonsense: "x" }),
    );
    assert.match(await Deno.readTextFile(path), /zone_id = "z"/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
