import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { tailscale } from "../../../src/tunnels/tailscale.ts";
import { operatorCheck } from "../../../src/tunnels/tailscale_checks.ts";
import {
  ProviderWorld,
  running,
  target,
} from "../../support/provider_world.ts";

const SIGNAL = new AbortController().signal;

const RUNNING = {
  BackendState: "Running",
  Self: {
    ID: "nABC1CNTRL",
    DNSName: "Mini.tail1a2b.ts.net.",
    CapMap: {
      https: null,
      funnel: null,
      "https://tailscale.com/cap/funnel-ports?ports=443,8443,10000": null,
    },
  },
  CertDomains: ["mini.tail1a2b.ts.net"],
};

/** A Tailscale that tells these two, with a warning before, as where client and service differ in version. */
async function installed(
  world: ProviderWorld,
  status: unknown = RUNNING,
  served: unknown = null,
): Promise<void> {
  await Deno.writeTextFile(`${world.root}/status`, JSON.stringify(status));
  await Deno.writeTextFile(`${world.root}/served`, JSON.stringify(served));
  await world.program(
    "tailscale",
    `echo "Warning: client version differs" >&2
case "$*" in
version) echo "1.102.4"; echo "  tailscale commit: 0123" ;;
"status --json --peers=false") cat "$HOME/status" ;;
"serve status --json") cat "$HOME/served" ;;
*) exit 64 ;;
esac`,
  );
}

/** What a program in the foreground serves. */
function session(port: number, proxy: string): unknown {
  const address = `mini.tail1a2b.ts.net:${port}`;
  return {
    TCP: { [port]: { HTTPS: true } },
    Web: { [address]: { Handlers: { "/": { Proxy: proxy } } } },
    AllowFunnel: { [address]: true },
  };
}

async function commandFor(
  world: ProviderWorld,
  facts: Parameters<typeof target>[0] = {},
): Promise<string> {
  const process = await tailscale.open([target(facts)], world.context, SIGNAL);
  return process?.command ?? "";
}

Deno.test("the internet gets a funnel, the tailnet gets what is served, both in the foreground", async () => {
  await using world = await ProviderWorld.make();
  await installed(world);
  deepEqual(await tailscale.open([target()], world.context, SIGNAL), {
    name: "tunnel-web",
    command: "exec tailscale funnel --https=443 http://127.0.0.1:4711",
    env: {},
    healthUrl: null,
    readyLog: "Press Ctrl\\+C to exit",
  });
  equal(
    await commandFor(world, { reach: "tailnet" }),
    "exec tailscale serve --https=443 http://127.0.0.1:4711",
  );
});

Deno.test("what the user serves stays, and a port that is open to the internet without serving is not taken either", async () => {
  await using world = await ProviderWorld.make();
  const mine = "http://127.0.0.1:3000";
  await installed(world, RUNNING, {
    ...session(443, mine) as object,
    AllowFunnel: { "mini.tail1a2b.ts.net:8443": true },
  });
  match(await commandFor(world), /--https=10000 /);
  match(await commandFor(world, { reach: "tailnet" }), /--https=10000 /);

  await installed(world, RUNNING, {
    ...session(443, mine) as object,
    Foreground: {
      a: session(8443, mine),
      b: session(10000, mine),
    },
  });
  await rejects(commandFor(world), {
    code: "E741",
    hint: "tailscale serve status",
  });
  match(
    await commandFor(world, { task: "api", reach: "tailnet" }),
    /--https=10001 /,
  );
});

Deno.test("a tunnel that runs keeps its port, and so does one that ran before", async () => {
  await using world = await ProviderWorld.make();
  await installed(world);
  match(await commandFor(world), /--https=443 /);
  // Its program has not told Tailscale yet.
  const api = { task: "api", origin: "http://127.0.0.1:4712" };
  match(await commandFor(world, api), /--https=8443 /);
  await installed(world, RUNNING, {
    Foreground: { a: session(8443, `${api.origin}/`) },
  });
  match(await commandFor(world, api), /--https=8443 /);
  await installed(world);
  match(await commandFor(world, api), /--https=8443 /);
  await tailscale.close(world.context, { prune: true }, SIGNAL);
  match(await commandFor(world, api), /--https=443 /);
});

Deno.test("only ports that the tailnet allows are opened to the internet", async () => {
  await using world = await ProviderWorld.make();
  const { Self } = RUNNING;
  const ports = "https://tailscale.com/cap/funnel-ports?ports=443,9000-10000";
  const mine = session(443, "http://127.0.0.1:3000");
  await installed(world, {
    ...RUNNING,
    Self: { ...Self, CapMap: null, Capabilities: ["https", "funnel", ports] },
  }, mine);
  match(await commandFor(world), /funnel --https=10000 /);
  const api = { task: "api", reach: "tailnet" } as const;
  match(await commandFor(world, api), /serve --https=8443 /);
});

Deno.test("the address is what the program printed, or what Tailscale serves", async () => {
  await using world = await ProviderWorld.make();
  const printed = [
    "https://login.tailscale.com/f/funnel?node=nABC1CNTRL",
    "Available on the internet:",
    "",
    "https://mini.tail1a2b.ts.net:8443/",
    "|-- proxy http://127.0.0.1:4711",
  ];
  const ask = (lines: readonly string[]) =>
    tailscale.addressOf(target(), running(lines), world.context, SIGNAL);
  equal(await ask(printed), "https://mini.tail1a2b.ts.net:8443");
  await installed(world, RUNNING, {
    Foreground: { a: session(443, "http://127.0.0.1:4711") },
  });
  equal(await ask([]), "https://mini.tail1a2b.ts.net");
});

Deno.test("all that is right is told", async () => {
  await using world = await ProviderWorld.make();
  await installed(world);
  const checks = await tailscale.check(
    [target(), target({ task: "api", origin: "http://127.0.0.1:4712" })],
    world.context,
    SIGNAL,
  );
  deepEqual(
    checks.filter(({ name }) => name !== "tailscale_operator")
      .map(({ name, ok, detail }) => [name, ok, detail.split(" (")[0]]),
    [
      [
        "tailscale_binary",
        true,
        `${world.root}/bin/tailscale, version 1.102.4`,
      ],
      ["tailscale_up", true, "This machine is mini.tail1a2b.ts.net"],
      [
        "tailscale_https",
        true,
        "There are certificates for mini.tail1a2b.ts.net",
      ],
      [
        "tailscale_funnel",
        true,
        "This machine may be reached from the internet",
      ],
      ["tailscale_port:web", true, "Port 443 of mini.tail1a2b.ts.net is free"],
      ["tailscale_port:api", true, "Port 8443 of mini.tail1a2b.ts.net is free"],
    ],
  );
});

Deno.test("what is missing is told with what to do, and what it hides is not", async (t) => {
  await using world = await ProviderWorld.make();
  const { Self } = RUNNING;
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    ["failed to connect", "tailscale_up", /start tailscaled|open -a/],
    [{ BackendState: "Stopped" }, "tailscale_up", /tailscale up$/],
    [{ BackendState: "NeedsLogin" }, "tailscale_up", /tailscale up$/],
    [{ BackendState: "NeedsMachineAuth" }, "tailscale_up", /admin\/machines/],
    [
      { ...RUNNING, CertDomains: null },
      "tailscale_https",
      /HTTPS Certificates: https:\/\/login\.tailscale\.com\/admin\/dns/,
    ],
    [
      { ...RUNNING, Self: { ...Self, CapMap: { https: null } } },
      "tailscale_funnel",
      /f\/funnel\?node=nABC1CNTRL .*--tailnet-only/,
    ],
    [
      {
        ...RUNNING,
        Self: {
          ...Self,
          CapMap: null,
          Capabilities: [
            "funnel",
            "https://tailscale.com/cap/funnel-ports?ports=8443",
          ],
        },
      },
      "tailscale_funnel",
      /Add 443/,
    ],
  ];
  for (const [status, name, fix] of cases) {
    await t.step(name, async () => {
      await installed(world, status);
      const checks = await tailscale.check([target()], world.context, SIGNAL);
      const failed = checks.filter(({ ok }) => !ok);
      deepEqual(failed.map((check) => check.name), [name]);
      match(failed[0]?.fix ?? "", fix);
      if (name === "tailscale_up") equal(checks.at(-1)?.name, name);
    });
  }
});

Deno.test("Funnel is needed for the internet only", async () => {
  await using world = await ProviderWorld.make();
  const Self = { ...RUNNING.Self, CapMap: { https: null } };
  await installed(world, { ...RUNNING, Self });
  const checks = await tailscale.check(
    [target({ reach: "tailnet" })],
    world.context,
    SIGNAL,
  );
  deepEqual(checks.filter(({ ok }) => !ok), []);
});

Deno.test("when every port serves something, all of them are named", async () => {
  await using world = await ProviderWorld.make();
  const mine = "http://127.0.0.1:3000";
  await installed(world, RUNNING, {
    Foreground: {
      a: session(10000, mine),
      b: session(443, mine),
      c: session(8443, mine),
    },
  });
  const checks = await tailscale.check([target()], world.context, SIGNAL);
  const { ok, detail } = checks.at(-1) ?? {};
  equal(ok, false);
  match(detail ?? "", /: 443, 8443, 10000$/);
});

Deno.test("a user whom Tailscale does not obey is told how it would", () => {
  deepEqual(operatorCheck("ada", undefined), []);
  equal(operatorCheck("ada", "ada")[0]?.ok, true);
  for (const operator of [null, "bob"]) {
    const [check] = operatorCheck("ada", operator);
    equal(check?.ok, false);
    equal(check?.fix, "sudo tailscale set --operator=ada");
  }
});

Deno.test("what tailscale says when it serves nothing is explained", () => {
  const explain = (line: string) => tailscale.explain(line) ?? "";
  match(
    explain("         https://login.tailscale.com/f/serve?node=nABC1CNTRL"),
    /open https:\/\/login\.tailscale\.com\/f\/serve\?node=nABC1CNTRL$/,
  );
  match(
    explain("sending serve config: Access denied: serve config denied"),
    /sudo tailscale set --operator=USER/,
  );
  for (
    const line of [
      "error: foreground already exists under this port",
      "sending serve config: listener already exists for port 443",
    ]
  ) match(explain(line), /taken this port/);
  match(
    explain(
      "error getting serve config: getting serve config: Failed to connect to local Tailscale daemon for /localapi/v0/serve-config; not running? Error: dial unix /var/run/tailscale/tailscaled.sock: connect: no such file or directory",
    ),
    /does not run/,
  );
  match(
    explain(
      "Funnel not available; HTTPS must be enabled. See https://tailscale.com/s/https.",
    ),
    /gives no certificates/,
  );
  match(
    explain(
      'Funnel not available; "funnel" node attribute not set. See https://tailscale.com/s/no-funnel.',
    ),
    /reached from the internet/,
  );
  match(explain("Logged out."), /tailscale up$/);
  equal(explain("Available on the internet:"), "");
  equal(explain("https://mini.tail1a2b.ts.net/"), "");
});
