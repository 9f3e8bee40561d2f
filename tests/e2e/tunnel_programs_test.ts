/**
 * Programs of tunnels that are missing, that do not come up, and that tell where they are, as tasks of a real daemon. What
 * they carry is tested with programs that forward.
 */

import { deepEqual, equal, match, notEqual, rejects } from "node:assert/strict";
import type { Params, Result } from "../../src/contract/mod.ts";
import type { TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const TOML = `name = "programs"
[tasks.web]
command = "python3 -um http.server $PORT --bind 127.0.0.1"
health_url = "http://127.0.0.1:$PORT/"
`;

/** Is up until there is a file `refused`, and from then on refuses to be. */
const NGROK = `case "$1" in version) echo "ngrok version 3.33.0"; exit ;; esac
test -e "$HOME/refused" ||
  echo 't=2026 lvl=info msg="started tunnel" obj=tunnels url=https://calm-sea.ngrok-free.app'
while ! test -e "$HOME/refused"; do sleep 0.1; done
echo "ERROR:  authentication failed: Your account is limited to 1 simultaneous ngrok agent sessions."
echo "ERROR:  ERR_NGROK_108"
exit 1`;

/** Serves something of the user's on 443. */
const TAILSCALE = `case "$*" in
version) echo 1.102.4 ;;
"status --json --peers=false")
  echo '{"BackendState":"Running","Self":{"DNSName":"mini.tail1a2b.ts.net."},"CertDomains":["mini.tail1a2b.ts.net"]}' ;;
"serve status --json") echo '{"TCP":{"443":{"HTTPS":true}}}' ;;
"serve --https=8443 http://127.0.0.1:"*)
  echo "Available within your tailnet:"
  echo
  echo "https://mini.tail1a2b.ts.net:8443/"
  echo "Press Ctrl+C to exit."
  exec sleep 1000 ;;
*) echo "unexpected: $*" >&2; exit 64 ;;
esac`;

/** Puts a shell program on a PATH of its own. */
async function program(
  { home }: Taskmux,
  name: string,
  text: string,
): Promise<Record<string, string>> {
  const folder = `${home.root}/${name}`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${text}\n`);
  await Deno.chmod(`${folder}/${name}`, 0o755);
  return { ...home.env, PATH: `${folder}:/usr/bin:/bin` };
}

/** A project whose task `web` runs. */
class Shop {
  readonly taskmux: Taskmux;
  readonly project: TestProject;

  constructor(taskmux: Taskmux, project: TestProject) {
    this.taskmux = taskmux;
    this.project = project;
  }

  up(facts: Partial<Params<"tunnel.up">>): Promise<Result<"tunnel.up">> {
    const scope = { config: this.project.config };
    return this.taskmux.call("tunnel.up", { scope, task: "web", ...facts });
  }

  /** The only tunnel. */
  async only(): Promise<Result<"tunnel.status">["tunnels"][number] | null> {
    const { tunnels } = await this.taskmux.call("tunnel.status", {});
    return tunnels[0] ?? null;
  }

  async pidOf(task: string): Promise<number | null> {
    const { tasks } = await this.project.status();
    return tasks.find(({ name }) => name === task)?.pid ?? null;
  }

  async down(): Promise<void> {
    const scope = { config: this.project.config };
    await this.taskmux.call("tunnel.down", { scope });
    equal((await this.taskmux.call("tunnel.status", {})).count, 0);
  }
}

const STEPS: Readonly<Record<string, (shop: Shop) => Promise<void>>> = {
  "one that is missing is told before anything is done": async (shop) => {
    // Not even a folder of the system: a real one there would make the task public.
    const env = { ...shop.taskmux.home.env, PATH: shop.project.folder };
    await rejects(shop.up({ env }), {
      code: "E740",
      message: /no program "cloudflared" on the PATH/,
      hint: /install cloudflared/i,
    });
    equal((await shop.taskmux.call("tunnel.status", {})).count, 0);
  },

  "one that does not come up is explained": async (shop) => {
    const env = await program(
      shop.taskmux,
      "cloudflared",
      `case "$1" in --version) echo "cloudflared version 2025.9.1"; exit ;; esac
echo 'ERR Error unmarshaling QuickTunnel response: error code: 1015 status_code="429 Too Many Requests"' >&2
echo "failed to unmarshal quick Tunnel: invalid character 'e' looking for beginning of value" >&2
exit 1`,
    );
    await rejects(shop.up({ env }), {
      code: "E741",
      message: /too many were asked for: wait/,
    });
    const { tasks } = await shop.project.status();
    equal(tasks.find(({ name }) => name === "tunnel-web"), undefined);
  },

  "one that tells its address in its log goes on through a new daemon, and is explained when it ends":
    async (shop) => {
      const env = await program(shop.taskmux, "ngrok", NGROK);
      env["NGROK_AUTHTOKEN"] = "2secret3Token";
      const { public_url, tunnel } = await shop.up({ backend: "ngrok", env });
      equal(public_url, "https://calm-sea.ngrok-free.app");
      equal(tunnel.process, "tunnel-web");
      const pid = await shop.pidOf("tunnel-web");
      const daemon = await shop.taskmux.daemonPid();
      await shop.taskmux.ok(["daemon", "restart"]);
      notEqual(await shop.taskmux.daemonPid(), daemon);
      await until(async () => (await shop.only())?.state === "open");
      equal((await shop.only())?.public_url, public_url);
      equal(await shop.pidOf("tunnel-web"), pid);
      await Deno.writeTextFile(`${shop.taskmux.home.root}/refused`, "");
      await until(async () => {
        const { reason = null } = await shop.only() ?? {};
        return reason?.includes("dashboard.ngrok.com/agents") === true;
      });
      await shop.down();
    },

  "one that serves the tailnet only is no public one": async (shop) => {
    const env = await program(shop.taskmux, "tailscale", TAILSCALE);
    const answer = await shop.up({
      backend: "tailscale",
      reach: "tailnet",
      env,
    });
    equal(answer.public_url, "https://mini.tail1a2b.ts.net:8443");
    deepEqual(answer.warnings, []);
    await shop.down();
  },

  "a name of one's own leads to the origin that is told": async (shop) => {
    const { env } = shop.taskmux.home;
    const hostname = "web.example.com";
    const answer = await shop.up({ backend: "noop", hostname, env });
    const { public_url, tunnel } = answer;
    equal(public_url, "https://web.example.com");
    equal(tunnel.process, null);
    const response = await fetch(tunnel.origin ?? "");
    match(await response.text(), /Directory listing/);
    await shop.down();
    await rejects(fetch(tunnel.origin ?? ""));
    const again = await shop.up({ backend: "noop", hostname, env });
    equal(again.tunnel.origin, tunnel.origin);
    await shop.down();
  },
};

Deno.test("programs of tunnels as tasks", async (t) => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  await project.ok(["start"]);
  const shop = new Shop(taskmux, project);
  for (const [name, step] of Object.entries(STEPS)) {
    await t.step(name, () => step(shop));
  }
});
