import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import {
  CAN_HAVE_OWN_ETC,
  everywhere,
  lookedUp,
  privateEtc,
  USER_HOSTS,
} from "../support/private_etc.ts";
import { CAN_BE_OTHERS, secondUser } from "../support/sudo_user.ts";
import { type Json, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type DnsStatus = Result<"dns.status">;

const PORTS = "api_port = 0\nproxy_https_port = 0\n" +
  "proxy_http_redirect_port = 0\n";

function toml(...hosts: readonly string[]): string {
  return 'name = "shop"\n' +
    hosts.map((host, index) =>
      `[tasks.t${index}]\ncommand = "sleep 1000"\nhost = "${host}"\n`
    ).join("");
}

/** The hosts file with our block. */
function hostsWith(home: string, ...names: readonly string[]): string {
  const entries = ["127.0.0.1", "::1"].flatMap((address) =>
    names.map((name) => `${address}\t${name}\n`)
  );
  return `${USER_HOSTS}\n\n# BEGIN taskmux managed\n# of ${home}\n${
    entries.join("")
  }# END taskmux managed\n`;
}

Deno.test({
  name:
    "without root names are told not to resolve, and sudo has them resolved",
  ignore: !CAN_HAVE_OWN_ETC || !CAN_BE_OTHERS,
  fn: async () => {
    await using machine = await privateEtc();
    await using user = await secondUser(PORTS);
    user.enter = machine.enter;
    await user.write(`${user.home}/work/taskmux.toml`, toml("web", "*"));
    await user.ok("user", ["start"]);
    const status = () => user.ok<DnsStatus>("user", ["dns", "status"]);
    const before = await status();
    assert.equal(before.resolver, "etc_hosts");
    assert.equal(before.resolves, false);
    assert.deepEqual(before.skipped, ["*.shop.localhost"]);
    assert.match(before.problems.join(), /\/etc\/hosts is root's/);
    assert.match(before.hint ?? "", /^sudo .*taskmux dns install$/);
    const refusal = await user.run("user", ["--json", "dns", "install"]);
    assert.equal(refusal.code, 1);
    assert.equal(refusal.json()["error_code"], "E720");
    assert.match(
      String(refusal.json()["hint"]),
      /^sudo .*taskmux dns install$/,
    );
    assert.equal(await machine.read(), USER_HOSTS);

    const installed = await user.ok<Json>("sudo", ["dns", "install"]);
    assert.equal(installed["changed"], true);
    const { home } = user.paths;
    assert.equal(
      await machine.read(),
      hostsWith(home, "shop.localhost", "web.shop.localhost"),
    );
    assert.equal(Deno.statSync(machine.hosts).mode! & 0o777, 0o644);
    const after = await status();
    assert.deepEqual(
      [after.resolves, after.active, after.problems, after.hint],
      [true, true, [], null],
    );
    assert.deepEqual(
      await lookedUp("web.shop.localhost", machine.enter),
      everywhere("127.0.0.1", "::1"),
    );

    // What the daemon cannot write it tells.
    await user.write(`${user.home}/work/taskmux.toml`, toml("web", "api"));
    const stale = await until(async () => {
      const now = await status();
      return now.unresolved.length > 0 ? now : undefined;
    });
    assert.deepEqual(stale.unresolved, ["api.shop.localhost"]);
    const findings = await user.ok<{ checks: Json[] }>("user", ["doctor"]);
    const finding = findings.checks.find(({ name }) => name === "names");
    assert.equal(finding?.["status"], "warn");

    await user.ok("sudo", ["dns", "uninstall"]);
    assert.equal(await machine.read(), `${USER_HOSTS}\n`);
    assert.deepEqual(await user.rootsFiles(), []);
  },
});

Deno.test({
  name: "root's daemon in a container has names resolved without being told",
  ignore: !CAN_HAVE_OWN_ETC,
  fn: async () => {
    await using machine = await privateEtc({ isMounted: true });
    await using taskmux = await testTaskmux({
      hostConfig: PORTS,
      folder: ".taskmux",
      launcher: machine.enter,
    });
    const project = await taskmux.project(toml("web"));
    await project.ok(["start"]);
    const { home } = taskmux.home;
    const names = ["shop.localhost", "web.shop.localhost"];
    const expected = hostsWith(home, ...names);
    await until(async () => await machine.read() === expected);
    assert.deepEqual(
      await lookedUp("web.shop.localhost", machine.enter),
      everywhere("127.0.0.1", "::1"),
    );
  },
});

Deno.test({
  name: "a mounted hosts file is written in place, and follows the names",
  ignore: !CAN_HAVE_OWN_ETC,
  fn: async () => {
    await using machine = await privateEtc({ isMounted: true });
    await using taskmux = await testTaskmux({
      hostConfig: PORTS,
      launcher: machine.enter,
    });
    const { home } = taskmux.home;
    const project = await taskmux.project(toml("web"));
    await project.ok(["start"]);
    const { ino } = Deno.statSync(machine.hosts);
    const status = await taskmux.ok<DnsStatus>(["dns", "status"]);
    // A state folder that is not the default one changes the machine only when told.
    assert.deepEqual([status.installed, status.hint], [
      false,
      "taskmux dns install",
    ]);
    assert.equal(await machine.read(), USER_HOSTS);
    const answer = await taskmux.ok<Json>(["dns", "install"]);
    assert.deepEqual(
      [answer["resolver"], answer["changed"], answer["tld"]],
      ["etc_hosts", true, "localhost"],
    );
    const names = ["shop.localhost", "web.shop.localhost"];
    assert.equal(await machine.read(), hostsWith(home, ...names));
    assert.equal(Deno.statSync(machine.hosts).ino, ino);
    const daemon = await taskmux.ok<{ dns: Json }>(["daemon", "status"]);
    assert.deepEqual(
      [daemon.dns["resolver"], daemon.dns["active"]],
      ["etc_hosts", true],
    );
    assert.deepEqual(
      await lookedUp("web.shop.localhost", machine.enter),
      everywhere("127.0.0.1", "::1"),
    );

    await Deno.writeTextFile(machine.hosts, "10.9.9.9 late.lan\n", {
      append: true,
    });
    await project.replace(toml("api"));
    await until(async () =>
      (await machine.read()).includes("\tapi.shop.localhost\n")
    );
    const text = await machine.read();
    assert.ok(!text.includes("web.shop"), text);
    assert.ok(text.startsWith(USER_HOSTS) && text.endsWith("late.lan\n"), text);
    await taskmux.ok(["daemon", "unregister", "shop"]);
    const rest = `${USER_HOSTS}\n\n10.9.9.9 late.lan\n`;
    await until(async () => await machine.read() === rest);

    await taskmux.ok(["dns", "uninstall"]);
    await project.ok(["start"]);
    const last = await taskmux.ok<DnsStatus>(["dns", "status"]);
    assert.deepEqual([last.installed, last.resolves], [false, false]);
    assert.equal(await machine.read(), rest, "uninstalled is uninstalled");
  },
});

Deno.test({
  name: "a machine that asks our server finds every name",
  ignore: !CAN_HAVE_OWN_ETC,
  fn: async () => {
    await using machine = await privateEtc({ ownNetwork: true });
    await using taskmux = await testTaskmux({
      hostConfig: `${PORTS}host_resolver = "dns_server"\n` +
        'dns_server_port = 53\ndns_managed_tld = "test"\n',
      launcher: machine.enter,
    });
    const project = await taskmux.project(toml("web", "deep"));
    await project.ok(["start"]);
    const status = await taskmux.ok<DnsStatus>(["dns", "status"]);
    assert.deepEqual(
      [status.resolver, status.port, status.active, status.resolves],
      ["dns_server", 53, true, true],
    );
    const pid = await taskmux.daemonPid();
    const inside = ["nsenter", `--target=${pid}`, "--mount", "--net"];
    assert.deepEqual(
      await lookedUp("web.shop.test", inside),
      everywhere("127.0.0.1", "::1"),
    );
    assert.deepEqual(await lookedUp("nope.shop.test", inside), everywhere());
    await project.replace(toml("web", "*"));
    await until(async () => {
      const { getent } = await lookedUp("x.y.shop.test", inside);
      return getent?.length === 2;
    });
    const query = (...words: string[]) =>
      taskmux.ok(["dns", "query", ...words]);
    assert.deepEqual(await query("web.shop.test"), {
      ok: true,
      name: "web.shop.test",
      type: "A",
      rcode: "NOERROR",
      answers: ["127.0.0.1"],
    });
    assert.equal((await query("other.test"))["rcode"], "NXDOMAIN");
    assert.deepEqual((await query("shop.test", "--type=https"))["answers"], []);
    await taskmux.fails("E500", ["dns", "query", "a..b"]);
    await taskmux.fails("E500", ["dns", "query", "a.test", "--type=nope"]);
    // The system asks our server already.
    const answer = await taskmux.ok(["dns", "install"]);
    assert.deepEqual([answer["changed"], answer["port"]], [false, 53]);
    assert.equal(await machine.read(), USER_HOSTS);
  },
});

Deno.test("a DNS port that is taken is told, and the daemon lives", async () => {
  using held = new DisposableStack();
  const { port } = held.use(Deno.listen({ hostname: "127.0.0.1", port: 0 }))
    .addr;
  await using taskmux = await testTaskmux({
    hostConfig: `${PORTS}host_resolver = "dns_server"\n` +
      `dns_server_port = ${port}\n`,
  });
  await taskmux.fails("E600", ["dns", "query", "a.localhost"]);
  const offline = await taskmux.ok<DnsStatus>(["dns", "status"]);
  assert.deepEqual([offline.resolves, offline.active], [null, false]);
  assert.equal(await taskmux.daemonPid(), null);
  const project = await taskmux.project(toml("web"));
  await project.ok(["start"]);
  const status = await taskmux.ok<DnsStatus>(["dns", "status"]);
  const reason = `127.0.0.1:${port} is taken`;
  assert.match(status.problems.join(), new RegExp(reason));
  assert.equal(status.hint, "taskmux config set dns_server_port 0");
  const { warnings } = await project.ok<{ warnings: string[] }>(["status"]);
  assert.ok(warnings.some((warning) => warning.includes(reason)));
  const query = await taskmux.fails("E721", ["dns", "query", "a.localhost"]);
  assert.match(query.error, /is taken/);
  const { checks } = await taskmux.ok<{ checks: Json[] }>(["doctor"]);
  const finding = checks.find(({ name }) => name === "names");
  assert.match(
    String(finding?.["detail"]),
    new RegExp(`${reason}.*; .* \\(pid ${Deno.pid}\\)`),
  );
  held.dispose();
  const later = await taskmux.ok<DnsStatus>(["dns", "status"]);
  assert.deepEqual([later.problems, later.port], [[], port]);
});
