import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import {
  findEntry,
  installEntry,
  snippetOf,
  uninstallEntry,
  withEntry,
  withoutEntry,
} from "../../../src/agents/client_settings.ts";
import {
  addressOf,
  grantOf,
  httpAddress,
  type McpAddress,
  stdioAddress,
} from "../../../src/agents/mcp_address.ts";
import {
  CLIENT_NAMES,
  findClient,
  MCP_CLIENTS,
  type McpClient,
} from "../../../src/agents/mcp_clients.ts";
import { mutatedTexts } from "../../support/toml_mutator.ts";

const HTTP = httpAddress({ port: 8765, path: "/mcp/" }, {
  session: "shop",
  readOnly: false,
});
const STDIO = stdioAddress("taskmux", {
  session: null,
  readOnly: true,
  unscoped: false,
}, {});
const ENTRY_NAME = "taskmux";

function client(name: string): McpClient {
  const found = findClient(name);
  assert(found !== undefined);
  return found;
}

function put(name: string, text: string | null, address: McpAddress): string {
  const it = client(name);
  return withEntry(it, text, { entry: it.entry(address), path: "f" });
}

Deno.test("every client has a row, and its entry tells its address again", () => {
  assert.deepEqual(MCP_CLIENTS.map(({ name }) => name), [...CLIENT_NAMES]);
  for (const it of MCP_CLIENTS) {
    for (const address of [HTTP, STDIO]) {
      const entry = it.entry(address);
      assert.deepEqual(addressOf(entry), address, it.name);
      for (const key of Object.keys(entry)) {
        assert(it.ownKeys.includes(key), `${it.name}: ${key}`);
      }
      const text = put(it.name, null, address);
      assert.equal(put(it.name, text, address), text);
      assert.match(snippetOf(it, entry), /taskmux/);
    }
  }
});

Deno.test("an address tells what it grants, and nothing gets into it unescaped", () => {
  const odd = httpAddress({ port: 1, path: "/a b" }, {
    session: "ä&access=read#x",
    readOnly: false,
  });
  assert.deepEqual(grantOf(odd), {
    session: "ä&access=read#x",
    readOnly: false,
    unscoped: false,
  });
  assert.deepEqual(HTTP, {
    kind: "http",
    url: "http://localhost:8765/mcp?session=shop",
  });
  assert.deepEqual(grantOf(STDIO), {
    session: null,
    readOnly: true,
    unscoped: false,
  });
  assert.deepEqual(grantOf({ kind: "http", url: "nonsense" }), {
    session: null,
    readOnly: false,
    unscoped: true,
  });
  assert.equal(addressOf({ command: 1, url: null }), null);
});

Deno.test("an entry that is there keeps what the user added, and changes its way", () => {
  const json = `{
  "mcpServers": {
    "taskmux": { // ours
      "command": "old",
      "args": ["x"],
      "timeout": 5
    }
  }
}
`;
  const it = client("gemini");
  const after = put("gemini", json, HTTP);
  assert.equal(
    after,
    json.replace(
      `      "command": "old",\n      "args": ["x"],\n      "timeout": 5`,
      `      "timeout": 5,\n      "httpUrl": "http://localhost:8765/mcp?session=shop"`,
    ),
  );
  assert.equal(
    withoutEntry(it, after, "f"),
    '{\n  "mcpServers": {}\n}\n',
  );
  const toml = `# mine

[mcp_servers.taskmux]
enabled = false # for now
url = "http://localhost:1/mcp" # old
tool_timeout_sec = 5

[mcp_servers.taskmux.tools.taskmux_stop]
approval_mode = "prompt"

[mcp_servers.other]
command = "x"
`;
  assert.equal(
    put("codex", toml, HTTP),
    toml.replace("enabled = false # for now\n", "")
      .replace(":1/mcp", ":8765/mcp?session=shop"),
  );
  assert.equal(
    withoutEntry(client("codex"), toml, "f"),
    `# mine\n\n[mcp_servers.other]\ncommand = "x"\n`,
  );
});

Deno.test("a file of the project that only held the entry goes with it, any other stays", () => {
  for (const name of ["claude-project", "opencode-project", "codex-project"]) {
    assert.equal(withoutEntry(client(name), put(name, null, HTTP), "f"), null);
  }
  for (const name of ["claude", "opencode", "codex"]) {
    assert.notEqual(
      withoutEntry(client(name), put(name, null, HTTP), "f"),
      null,
    );
  }
  const commented = put("vscode", "// keep\n", HTTP);
  assert.match(withoutEntry(client("vscode"), commented, "f") ?? "", /keep/);
  const other = put("opencode-project", '{"model": "x"}', HTTP);
  assert.equal(
    withoutEntry(client("opencode-project"), other, "f"),
    '{"model": "x", "mcp": {}}',
  );
});

Deno.test("whatever the TOML, the rest of it says what it said", () => {
  const texts = [
    "",
    "model = 'x'\n",
    "[mcp_servers]\na = { command = 'x' } # a\n",
    "mcp_servers.a.command = 'x'\n[tui]\ntheme = 'y'\n",
    "mcp_servers = { a = { command = 'x' } }\n",
    "[mcp_servers.taskmux]\nurl = 'old'\n\n[[profiles]]\nn = 1\n",
    "\uFEFF# c\r\n[projects.'/a b']\r\ntrust_level = 'trusted'",
  ];
  const random = fc.integer();
  fc.assert(
    fc.property(fc.constantFrom(...texts), random, (text, seed) => {
      const mutated = mutatedTexts([text], seed).next().value;
      const before = tomlOrNull(mutated);
      if (before === null) {
        assert.throws(() => put("codex", mutated, HTTP), { code: "E101" });
        return;
      }
      let after: string;
      try {
        after = put("codex", mutated, HTTP);
      } catch (error) {
        assert.match(String(error), /E104|no table|no place/);
        return;
      }
      const servers = before["mcp_servers"] as Record<string, unknown>;
      const own = servers?.[ENTRY_NAME];
      const kept = typeof own === "object" ? own : {};
      assert.deepEqual(tomlOrNull(after), {
        ...before,
        mcp_servers: {
          ...servers,
          taskmux: {
            ...kept,
            url: "http://localhost:8765/mcp?session=shop",
          },
        },
      });
    }),
    { numRuns: 300 },
  );
});

function tomlOrNull(text: string): Record<string, unknown> | null {
  try {
    const { mcp_servers, ...rest } = parse(text);
    return JSON.parse(JSON.stringify({ ...rest, mcp_servers }));
  } catch {
    return null;
  }
}

Deno.test("the file that counts is the one with the entry, else the strongest", async () => {
  const root = await Deno.makeTempDir({ prefix: "tmx-agents-" });
  try {
    const place = { home: root, env: {}, root };
    const it = client("opencode-project");
    assert.equal((await findEntry(it, place)).path, `${root}/opencode.json`);
    await Deno.writeTextFile(`${root}/opencode.jsonc`, "// none\n{}\n");
    await Deno.mkdir(`${root}/.opencode`);
    await Deno.writeTextFile(`${root}/.opencode/opencode.json`, "{");
    assert.equal((await findEntry(it, place)).path, `${root}/opencode.jsonc`);
    await Deno.writeTextFile(
      `${root}/opencode.json`,
      '{"mcp": {"taskmux": true}}',
    );
    const { path, entry } = await findEntry(it, place);
    assert.equal(path, `${root}/opencode.json`);
    assert.deepEqual(entry, {});
    assert.equal(await installEntry(it, path, it.entry(HTTP)), "updated");
    assert.equal(await installEntry(it, path, it.entry(HTTP)), "unchanged");
    assert.equal(await uninstallEntry(it, path), "deleted");
    await Deno.writeTextFile(`${root}/kept.json`, put("vscode", null, HTTP));
    await Deno.mkdir(`${root}/.vscode`);
    const linked = `${root}/.vscode/mcp.json`;
    await Deno.symlink("../kept.json", linked);
    assert.equal(await uninstallEntry(client("vscode"), linked), "updated");
    assert.equal(
      await Deno.readTextFile(linked),
      '{\n  "servers": {}\n}\n',
    );
    const claude = client("claude");
    const custom = { ...place, env: { CLAUDE_CONFIG_DIR: `${root}/c` } };
    assert.equal(
      (await findEntry(claude, custom)).path,
      `${root}/c/.claude.json`,
    );
    await Deno.mkdir(`${root}/.claude`);
    await Deno.writeTextFile(`${root}/.claude/.config.json`, "{}");
    assert.equal(
      (await findEntry(claude, place)).path,
      `${root}/.claude/.config.json`,
    );
    await Deno.writeTextFile(`${root}/.claude/.config.json`, "{");
    await assert.rejects(findEntry(claude, place), { code: "E101" });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
