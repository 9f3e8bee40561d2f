import assert from "node:assert/strict";
import {
  describeHostConfig,
  isSecretKey,
  loadHostConfig,
  maskSecret,
  parseHostConfig,
} from "../../../src/config/host_config.ts";
import { setHostValue } from "../../../src/config/set_host_value.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { ORIGINAL_HOSTS } from "./original_examples.ts";

const PATH = "/home/me/.taskmux/config.toml";

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TaskmuxError) return error.code;
    throw error;
  }
  return "none";
}

Deno.test("parseHostConfig reads every example of the original", () => {
  for (const [name, text] of Object.entries(ORIGINAL_HOSTS)) {
    assert.deepEqual(parseHostConfig(text, PATH).warnings, [], name);
  }
});

Deno.test("parseHostConfig fills in every default", () => {
  const { config, warnings } = parseHostConfig("", PATH);
  assert.deepEqual(warnings, []);
  assert.deepEqual(config, {
    healthCheckIntervalMs: 30_000,
    apiPort: 8765,
    proxy: {
      enabled: true,
      httpsPort: 443,
      bind: "127.0.0.1",
      httpRedirectPort: 80,
    },
    hostResolver: "auto",
    dns: { serverPort: 5454, managedTld: "localhost" },
    caProvider: "builtin",
    autoInjectAgents: true,
    cloudflare: {
      accountId: null,
      zoneId: null,
      tunnelName: null,
      apiToken: null,
      apiTokenEnv: "CLOUDFLARE_API_TOKEN",
    },
    mcp: { enabled: true, path: "/mcp", filter: [], tools: [] },
  });
});

Deno.test("parseHostConfig reads every key", () => {
  const { config } = parseHostConfig(
    `
health_check_interval = 5
api_port = 0
proxy_enabled = false
proxy_https_port = 8443
proxy_bind = "::"
proxy_http_redirect_port = 0
host_resolver = "noop"
dns_server_port = 5455
dns_managed_tld = "test"
ca_provider = "mkcert"
auto_inject_agents = false
[tunnel.cloudflare]
account_id = "a"
zone_id = "z"
tunnel_name = "n"
api_token = "t"
api_token_env = "CF"
[mcp]
enabled = false
path = "/m"
filter = ["task_exited"]
tools = ["taskmux_status"]
`,
    PATH,
  );
  assert.deepEqual(config, {
    healthCheckIntervalMs: 5_000,
    apiPort: 0,
    proxy: { enabled: false, httpsPort: 8443, bind: "::", httpRedirectPort: 0 },
    hostResolver: "noop",
    dns: { serverPort: 5455, managedTld: "test" },
    caProvider: "mkcert",
    autoInjectAgents: false,
    cloudflare: {
      accountId: "a",
      zoneId: "z",
      tunnelName: "n",
      apiToken: "t",
      apiTokenEnv: "CF",
    },
    mcp: {
      enabled: false,
      path: "/m",
      filter: ["task_exited"],
      tools: ["taskmux_status"],
    },
  });
});

Deno.test("parseHostConfig takes old flat keys where the new are not set", () => {
  const old = 'cloudflare_account_id = "o"\ncloudflare_api_token_env = "OLD"\n';
  const { cloudflare } = parseHostConfig(old, PATH).config;
  assert.equal(cloudflare.accountId, "o");
  assert.equal(cloudflare.apiTokenEnv, "OLD");
  const both = `${old}[tunnel.cloudflare]\naccount_id = "n"\n`;
  assert.equal(parseHostConfig(both, PATH).config.cloudflare.accountId, "n");
});

Deno.test("parseHostConfig warns of unknown keys and goes on", () => {
  const { config, warnings } = parseHostConfig(
    "api_prot = 1\napi_port = 2\n[mcp]\nfoo = 1\n",
    PATH,
  );
  assert.equal(config.apiPort, 2);
  assert.deepEqual(warnings, [
    `${PATH}:1:1 Cannot use key "api_prot": it is unknown (did you mean "api_port"?)`,
    `${PATH}:4:1 Cannot use key "foo" in [mcp]: it is unknown`,
  ]);
});

Deno.test("parseHostConfig warns of tools and event types that there are not", () => {
  const text = [
    "[mcp]",
    'tools = ["status", "taskmux_logs", "taskmux_stauts", "up"]',
    'filter = ["task_exited", "task_exit"]',
  ].join("\n");
  const { config, warnings } = parseHostConfig(text, PATH);
  assert.deepEqual(config.mcp.tools, [
    "status",
    "taskmux_logs",
    "taskmux_stauts",
    "up",
  ]);
  const [first = "", second = "", third = "", ...others] = warnings;
  assert.deepEqual(others, []);
  assert.match(
    first,
    /^.*:2:36 Cannot use tool "taskmux_stauts": there is none \(did you mean "status"\?/,
  );
  assert.match(second, /tool "up".*\(there are status, list_projects, inspect/);
  assert.match(third, /event type "task_exit".*\(did you mean "task_exited"\?/);
});

Deno.test("parseHostConfig refuses wrong values, all at once", () => {
  const wrong = [
    "health_check_interval = 0",
    "api_port = 65536",
    "api_port = -1",
    'proxy_enabled = "yes"',
    "proxy_https_port = -1",
    'proxy_bind = "everywhere"',
    'host_resolver = "hosts"',
    'dns_managed_tld = "a.b"',
    'dns_managed_tld = "LOCAL"',
    'ca_provider = "other"',
    'mcp.path = "mcp"',
    "mcp.filter = [1]",
    "mcp = 1",
    'tunnel.cloudflare.api_token_env = "A B"',
  ];
  for (const line of wrong) {
    assert.equal(codeOf(() => parseHostConfig(line, PATH)), "E104", line);
  }
  try {
    parseHostConfig("api_port = -1\nunknown = 1\nproxy_enabled = 1\n", PATH);
    assert.fail("nothing was refused");
  } catch (error) {
    assert.ok(error instanceof TaskmuxError);
    assert.match(error.message, /2 problems\nconfig.toml:1:12 .*\n.*:3:17 /);
  }
  assert.equal(codeOf(() => parseHostConfig("a =", PATH)), "E101");
});

Deno.test("loadHostConfig gives the defaults without a file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { config } = await loadHostConfig(`${folder}/config.toml`);
    assert.equal(config.apiPort, 8765);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadHostConfig warns of a token that others can read", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/config.toml`;
  const text = '[tunnel.cloudflare]\napi_token = "s3cret-token"\n';
  try {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    await Deno.chmod(path, 0o644);
    const [warning, ...others] = (await loadHostConfig(path)).warnings;
    assert.match(warning!, /open to others.*chmod 600/);
    assert.doesNotMatch(warning!, /s3cret/);
    assert.equal(others.length, 0);
    await Deno.chmod(path, 0o600);
    assert.deepEqual((await loadHostConfig(path)).warnings, []);
    await Deno.writeTextFile(path, "api_port = 1\n");
    await Deno.chmod(path, 0o644);
    assert.deepEqual((await loadHostConfig(path)).warnings, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("setHostValue lets the key decide what a value is", () => {
  const check = (key: string, written: string, expected: unknown): void =>
    assert.deepEqual(setHostValue("", key, written).value, expected, written);
  check("api_port", "9000", 9000);
  check("api_port", " 0 ", 0);
  check("proxy_enabled", "FALSE", false);
  check("tunnel.cloudflare.account_id", "123", "123");
  check("tunnel.cloudflare.zone_id", "true", "true");
  check("host_resolver", "noop", "noop");
  check("mcp.filter", "task_exited, task_killed", [
    "task_exited",
    "task_killed",
  ]);
  check("mcp.filter", '["task_exited"]', ["task_exited"]);
  check("mcp.filter", "", []);
});

Deno.test("setHostValue refuses what does not suit the key", () => {
  const check = (key: string, written: string, says: RegExp): void => {
    const error = (() => {
      try {
        return setHostValue("", key, written);
      } catch (error) {
        return error;
      }
    })();
    assert.ok(error instanceof TaskmuxError, `${key} = ${written}`);
    assert.equal(error.code, "E104");
    assert.match(`${error.message} | ${error.hint}`, says);
  };
  check("api_port", "many", /whole number from 0 to 65535, but it is "many"/);
  check("api_port", "1.5", /but it is 1.5/);
  check("api_port", "70000", /but it is 70000/);
  check("proxy_enabled", "1", /true or false/);
  check("host_resolver", "nop", /did you mean "noop"/);
  check("mcp.path", "mcp", /starts with "\/"/);
  check("mcp.filter", "[1]", /a list of event types, but it is "\[1\]"/);
  check("mcp.filter", "task_exit", /did you mean "task_exited"/);
  check("mcp.tools", "status,lgos", /tool "lgos".*did you mean "logs"/);
  check("tunnel.cloudflare.api_token", "", /not blank/);
});

Deno.test("setHostValue refuses unknown keys, nested ones too", () => {
  const check = (key: string, hint: string): void => {
    try {
      setHostValue("", key, "1");
      assert.fail(key);
    } catch (error) {
      assert.ok(error instanceof TaskmuxError);
      assert.equal(error.code, "E104");
      assert.equal(error.hint, hint);
    }
  };
  check("api_prot", 'did you mean "api_port"?');
  check("tunnel.cloudflare.bogus", "taskmux config show");
  check("zone_id", 'did you mean "tunnel.cloudflare.zone_id"?');
  check(
    "tunnel.cloudflare.zone_idd",
    'did you mean "tunnel.cloudflare.zone_id"?',
  );
  check("mcp", "taskmux config show");
  check("mcp.path.x", 'did you mean "mcp.path"?');
  check("", "taskmux config show");
  check("toString", "taskmux config show");
});

Deno.test("setHostValue changes its own line only", () => {
  const text =
    "# mine\napi_port = 1 # port\n\n[mcp] # agents\nenabled = true\n";
  assert.equal(
    setHostValue(text, "api_port", "2").text,
    text.replace("= 1", "= 2"),
  );
  assert.equal(
    setHostValue(text, "mcp.path", "/m").text,
    `${text}path = "/m"\n`,
  );
  assert.equal(
    setHostValue(text, "proxy_enabled", "false").text,
    text.replace("# port\n", "# port\nproxy_enabled = false\n"),
  );
  assert.equal(
    setHostValue(text, "tunnel.cloudflare.zone_id", "z").text,
    `${text}\n[tunnel.cloudflare]\nzone_id = "z"\n`,
  );
  assert.equal(setHostValue("", "api_port", "2").text, "api_port = 2\n");
});

Deno.test("setHostValue can repair a file with a wrong value", () => {
  const text = 'api_port = "x"\nbogus = 1\n';
  const { text: repaired } = setHostValue(text, "api_port", "1");
  assert.equal(parseHostConfig(repaired, PATH).config.apiPort, 1);
});

Deno.test("describeHostConfig gives the keys of the file and hides the token", () => {
  const token = "cf-pat-0123456789";
  const { config } = parseHostConfig(
    `api_port = 1\ntunnel.cloudflare.api_token = "${token}"`,
    PATH,
  );
  const hidden = describeHostConfig(config, { reveal: false });
  assert.equal(hidden["api_port"], 1);
  assert.equal(hidden["health_check_interval"], 30);
  assert.doesNotMatch(JSON.stringify(hidden), new RegExp(token));
  assert.match(JSON.stringify(hidden), /cf-p\*\*\*6789/);
  const shown = describeHostConfig(config, { reveal: true });
  assert.match(JSON.stringify(shown), new RegExp(token));
});

Deno.test("maskSecret shows nothing of a short secret", () => {
  assert.equal(maskSecret("12345678"), "***");
  assert.equal(maskSecret("123456789"), "1234***6789");
  assert.equal(isSecretKey("tunnel.cloudflare.api_token"), true);
  assert.equal(isSecretKey("tunnel.cloudflare.zone_id"), false);
});
