import { deepEqual, equal, match } from "node:assert/strict";
import { ngrok } from "../../../src/tunnels/ngrok.ts";
import {
  ProviderWorld,
  running,
  target,
} from "../../support/provider_world.ts";

const SIGNAL = new AbortController().signal;

const LOG = [
  't=2026-11-21T10:00:00+0000 lvl=warn msg="can\'t bind default web address, trying alternatives" obj=web addr=127.0.0.1:4040',
  't=2026-11-21T10:00:00+0000 lvl=info msg="starting web service" obj=web addr=127.0.0.1:4041 allow_hosts=[]',
  't=2026-11-21T10:00:01+0000 lvl=info msg="started tunnel" obj=tunnels name=command_line addr=http://127.0.0.1:4711 url=https://calm-sea.ngrok-free.app',
];

/** An ngrok whose settings are where a test puts them. */
async function installed(world: ProviderWorld): Promise<void> {
  await world.program(
    "ngrok",
    `case "$*" in
version) echo "ngrok version 3.33.0" ;;
"config check")
  test -e "$HOME/ngrok.yml" || {
    echo "ERROR:  open $HOME/ngrok.yml: no such file or directory" >&2
    exit 1
  }
  grep -q broken "$HOME/ngrok.yml" && {
    echo "ERROR:  cannot unmarshal !!str 2secret3Token into int" >&2
    exit 1
  }
  echo "Valid configuration file at $HOME/ngrok.yml" ;;
*) exit 64 ;;
esac`,
  );
}

Deno.test("ngrok runs in the foreground with a log that can be read, and keeps nothing of what comes", async () => {
  await using world = await ProviderWorld.make();
  const { command, ...rest } =
    await ngrok.open([target()], world.context, SIGNAL) ??
      { command: null };
  equal(
    command,
    "exec ngrok http --log=stdout --log-format=logfmt --inspect=false http://127.0.0.1:4711",
  );
  deepEqual(rest, {
    name: "tunnel-web",
    env: {},
    healthUrl: null,
    readyLog: 'msg="started (tunnel|endpoint)"',
  });
  const named = await ngrok.open(
    [target({ hostname: "api.example.com" })],
    world.context,
    SIGNAL,
  );
  match(named?.command ?? "", / --url=https:\/\/api\.example\.com http:/);
});

Deno.test("the address is the one that ngrok's log tells", async () => {
  await using world = await ProviderWorld.make();
  equal(
    await ngrok.addressOf(target(), running(LOG), world.context, SIGNAL),
    "https://calm-sea.ngrok-free.app",
  );
});

Deno.test("an authtoken is found in the environment or in ngrok's settings, and becomes a secret", async () => {
  await using world = await ProviderWorld.make();
  await installed(world);
  await Deno.writeTextFile(
    `${world.root}/ngrok.yml`,
    'version: 3\nagent:\n  authtoken: "2secret3Token" # mine\n',
  );
  const checks = await ngrok.check([target()], world.context, SIGNAL);
  deepEqual(checks.map(({ name, ok }) => [name, ok]), [
    ["ngrok_binary", true],
    ["ngrok_authtoken", true],
    ["ngrok_page:web", true],
  ]);
  match(checks[2]?.detail ?? "", /ngrok-skip-browser-warning/);
  deepEqual(world.secrets, ["2secret3Token"]);

  await using other = await ProviderWorld.make({ NGROK_AUTHTOKEN: "4abc" });
  await installed(other);
  const [, token, ...more] = await ngrok.check(
    [target({ hostname: "api.example.com" })],
    other.context,
    SIGNAL,
  );
  equal(token?.ok, true);
  deepEqual(more, []);
  deepEqual(other.secrets, ["4abc"]);
});

Deno.test("without an authtoken it is said where to get one, and broken settings are not shown", async () => {
  await using world = await ProviderWorld.make();
  await installed(world);
  const settings = `${world.root}/ngrok.yml`;
  for (const text of [null, "version: 3\n#authtoken: old\n"]) {
    if (text !== null) await Deno.writeTextFile(settings, text);
    const [, token] = await ngrok.check([], world.context, SIGNAL);
    equal(token?.ok, false);
    match(
      token?.fix ?? "",
      /^ngrok config add-authtoken TOKEN, with the one of https:/,
    );
  }
  await Deno.writeTextFile(settings, "broken\n");
  const [, token] = await ngrok.check([], world.context, SIGNAL);
  deepEqual(token, {
    name: "ngrok_authtoken",
    ok: false,
    detail: "The settings of ngrok cannot be read",
    fix: "ngrok config check",
  });
});

Deno.test("an ngrok of another generation is too old", async () => {
  await using world = await ProviderWorld.make();
  await world.program("ngrok", 'echo "ngrok version 2.3.41"');
  const checks = await ngrok.check([target()], world.context, SIGNAL);
  deepEqual(checks.map(({ ok, fix }) => [ok, fix]), [[false, "ngrok update"]]);
});

Deno.test("ngrok's errors are explained by their numbers, and what only warns is not", () => {
  const explain = (line: string) => ngrok.explain(line) ?? "";
  match(explain("ERROR:  ERR_NGROK_108"), /dashboard\.ngrok\.com\/agents/);
  match(
    explain(
      't=2026 lvl=eror msg="failed to reconnect session" err="authentication failed: Usage of ngrok requires a verified account\\r\\nERR_NGROK_4018\\r\\n"',
    ),
    /ngrok config add-authtoken TOKEN/,
  );
  match(explain("ERR_NGROK_334"), /in use by another ngrok/);
  match(explain("ERR_NGROK_320"), /reserve it/);
  match(explain("ERR_NGROK_9999"), /docs\/errors\/err_ngrok_9999$/);
  match(
    explain("listen tcp 127.0.0.1:4040: bind: address already in use"),
    /web_addr/,
  );
  equal(explain(LOG[0] ?? ""), "");
  equal(explain(LOG[2] ?? ""), "");
});
