import assert from "node:assert/strict";
import { TaskmuxError } from "../../src/domain/error.ts";
import { FakeCloudflare } from "../support/fake_cloudflare.ts";
import {
  failures,
  Machine,
  shape,
  target,
  withCloudflare,
} from "./_cloudflare_support.ts";

const API = target("api.example.com", 4_001);
const WEB = target("web.example.com", 4_002);

/** What stands there when {@linkcode API} and {@linkcode WEB} are open. */
const BOTH_OPEN = {
  tunnels: ["taskmux-shop"],
  records: [
    "CNAME api.example.com taskmux-shop true",
    "CNAME web.example.com taskmux-shop true",
  ],
  ingress: [[
    "api.example.com http://127.0.0.1:4001",
    "web.example.com http://127.0.0.1:4002",
    "* http_status:404",
  ]],
};

const TUNNEL_MADE = { method: "POST", path: /cfd_tunnel$/ };
const RECORD_MADE = { method: "POST", path: /dns_records$/ };

async function refused(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof TaskmuxError, Deno.inspect(error));
    assert.equal(error.code, "E741");
    assert.match(error.message, message);
    assert.ok(error.hint !== undefined && error.hint !== "");
    return true;
  });
}

Deno.test("open makes tunnel, ingress and records, and the same again changes nothing", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    assert.deepEqual(failures(await machine.check(WEB, API)), []);
    assert.deepEqual(cloudflare.changes, [], "a check changes nothing");
    const first = await machine.open(WEB, API);
    assert.deepEqual(shape(cloudflare), BOTH_OPEN);
    for (const { ttl, comment } of cloudflare.records) {
      assert.equal(ttl, 1);
      assert.match(comment ?? "", /taskmux.*shop/);
    }
    const { length } = cloudflare.changes;
    assert.deepEqual(failures(await machine.check(WEB, API)), []);
    const before = cloudflare.journal.length;
    assert.deepEqual(await machine.open(API, WEB), first);
    assert.equal(cloudflare.changes.length, length);
    const asked = cloudflare.journal.slice(before).map(({ path }) => path);
    assert.equal(
      new Set(asked).size,
      5,
      "zones, tunnel, rules, records, token",
    );
    assert.equal(asked.length, 6, "records of two names");
    assert.equal(await addressOf(machine), "https://api.example.com");
  });
});

function addressOf({ provider, context }: Machine): Promise<string> {
  const { signal } = new AbortController();
  return provider.addressOf(API, null, context, signal);
}

Deno.test("the program gets its token from a file of its own, by its environment alone", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    const { name, command, env, healthUrl } = await machine.open(API);
    assert.equal(name, "cloudflared");
    assert.deepEqual(env, {});
    assert.equal(healthUrl, "http://127.0.0.1:$PORT/ready");
    const [file] = [...Deno.readDirSync(machine.folder)];
    assert.equal(Deno.statSync(machine.folder).mode! & 0o777, 0o700);
    const path = `${machine.folder}/${file!.name}`;
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    const [tunnel] = cloudflare.tunnels;
    const token = cloudflare.world.runToken(tunnel!);
    assert.ok(
      machine.secrets.has(token) && machine.secrets.has(tunnel!.secret),
    );
    const folder = machine.context.env.PATH!.split(":")[0];
    const program = '#!/bin/sh\necho "$TUNNEL_TOKEN|$TUNNEL_URL|$*"\n';
    Deno.writeTextFileSync(`${folder}/cloudflared`, program);
    const { stdout } = await new Deno.Command("/bin/sh", {
      args: ["-c", command],
      clearEnv: true,
      env: {
        ...machine.context.env,
        PORT: "4711",
        TUNNEL_URL: "http://127.0.0.1:22",
        TUNNEL_TOKEN: "of another tunnel",
      },
    }).output();
    const args =
      "tunnel --config /dev/null --no-autoupdate --metrics 127.0.0.1:4711 run";
    assert.equal(new TextDecoder().decode(stdout), `${token}||${args}\n`);
  });
});

Deno.test("open goes on after a fault of any one of its requests, and after a crash at any moment", async () => {
  const requests = await countRequests();
  assert.ok(requests > 8, `${requests}`);
  for (let n = 1; n <= requests; n++) {
    for (const body of ["html", "late", "reset"]) {
      await withCloudflare(async ({ cloudflare, machine }) => {
        cloudflare.fail(n, { body, times: 8 });
        try {
          await machine.open(API, WEB);
        } catch (error) {
          assert.ok(error instanceof TaskmuxError && error.code === "E741");
        }
        cloudflare.heal();
        await machine.open(API, WEB);
        assert.deepEqual(shape(cloudflare), BOTH_OPEN, `${body} at ${n}`);
        const { left } = await machine.close(true);
        assert.deepEqual([left, machine.memory], [[], null], `${body} at ${n}`);
        assert.deepEqual([cloudflare.tunnels, cloudflare.records], [[], []]);
      });
    }
  }
  await everyCrash();
});

async function countRequests(): Promise<number> {
  let count = 0;
  await withCloudflare(async ({ cloudflare, machine }) => {
    await machine.open(API, WEB);
    count = cloudflare.journal.length;
  });
  return count;
}

/** The daemon dies when it is about to write down what it knows: the request before is done, the knowledge lost. */
async function everyCrash(): Promise<void> {
  for (let n = 1;; n++) {
    let saves = 0;
    await withCloudflare(async ({ cloudflare, machine }) => {
      machine.onSave = () => {
        if (++saves === n) throw new Error("crashed");
      };
      const crashed = await machine.open(API, WEB).then(
        () => false,
        (error: unknown) => {
          assert.match(String(error), /crashed/);
          return true;
        },
      );
      if (!crashed) n = Infinity;
      await machine.open(API, WEB);
      assert.deepEqual(shape(cloudflare), BOTH_OPEN, `crash at ${n}`);
      const { left } = await machine.close(true);
      assert.deepEqual(left, [], `crash at ${n}`);
      assert.deepEqual([cloudflare.tunnels, cloudflare.records], [[], []]);
    });
    if (n === Infinity) return;
  }
}

Deno.test("what was made and is not shown yet is waited for, not made twice", async () => {
  for (const lagReads of [1, 3]) {
    await withCloudflare(async ({ cloudflare, machine }) => {
      // Each is made, and nobody hears of it.
      cloudflare.fail({ method: "POST" }, { body: "late", times: 3 });
      await machine.open(API, WEB);
      assert.deepEqual(shape(cloudflare), BOTH_OPEN);
      assert.deepEqual((await machine.close(true)).left, []);
      assert.deepEqual([cloudflare.tunnels, cloudflare.records], [[], []]);
    }, { lagReads });
  }
});

Deno.test("what a daemon made before it died is known for ours, even while it is not shown", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    await dieAfter(machine, cloudflare, TUNNEL_MADE);
    assert.deepEqual(shape(cloudflare).tunnels, ["taskmux-shop"]);
    await machine.open(API, WEB);
    assert.deepEqual(shape(cloudflare), BOTH_OPEN);
    assert.deepEqual((await machine.close(true)).left, []);
    assert.deepEqual([cloudflare.tunnels, cloudflare.records], [[], []]);
  }, { lagReads: 4 });
});

/** A request of this kind is carried out, and the daemon dies before it can write that down. */
async function dieAfter(
  machine: Machine,
  cloudflare: FakeCloudflare,
  request: { readonly method: string; readonly path: RegExp },
): Promise<void> {
  machine.onSave = () => {
    const { method, path = "" } = cloudflare.journal.at(-1) ?? {};
    if (method === request.method && request.path.test(path)) {
      throw new Error("dead");
    }
  };
  await assert.rejects(machine.open(API, WEB), /dead/);
  machine.onSave = () => {};
}

Deno.test("prune finds what a daemon made before it died", async () => {
  for (const request of [TUNNEL_MADE, RECORD_MADE]) {
    await withCloudflare(async ({ cloudflare, machine }) => {
      await dieAfter(machine, cloudflare, request);
      assert.equal(cloudflare.tunnels.length, 1);
      assert.deepEqual((await machine.close(true)).left, []);
      assert.deepEqual([cloudflare.tunnels, cloudflare.records], [[], []]);
      assert.equal(machine.memory, null);
    });
  }
  await withCloudflare(async ({ cloudflare, machine }) => {
    await dieAfter(machine, cloudflare, RECORD_MADE);
    // Who copied our comment to another tunnel's record has a record of their own.
    cloudflare.records[0]!.content = "elsewhere.cfargotunnel.com";
    await machine.close(true);
    assert.equal(cloudflare.records.length, 1);
  });
});

Deno.test("rules that a daemon set before it died are known for ours", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    const path = /configurations$/;
    await dieAfter(machine, cloudflare, { method: "PUT", path });
    await machine.open(WEB);
    const ingress = [BOTH_OPEN.ingress[0]!.slice(1)];
    const records = BOTH_OPEN.records.slice(1);
    assert.deepEqual(shape(cloudflare), { ...BOTH_OPEN, records, ingress });
  });
});

Deno.test("a new tunnel that is not seen everywhere yet is not made again", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    await machine.open(API, WEB);
    const errors = [{ code: 1003, message: "Tunnel not found" }];
    cloudflare.fail({ path: /cfd_tunnel\/[0-9a-f-]+$/ }, {
      status: 404,
      body: { success: false, errors, messages: [], result: null },
      times: 2,
    });
    await machine.open(API, WEB);
    assert.equal(cloudflare.world.tunnels.length, 1);
    assert.deepEqual(machine.clock.pauses, [500, 1_000]);
  });
});

Deno.test("too many requests: open waits as long as it is told", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    cloudflare.limit({ after: 3, refusals: 2, retryAfter: 5 });
    await machine.open(API, WEB);
    assert.deepEqual(machine.clock.pauses, [5_000, 5_000]);
    assert.deepEqual(shape(cloudflare), BOTH_OPEN);
  });
});

Deno.test("lists of many pages are read whole", async () => {
  const zones = Array.from({ length: 120 }, (_, n) => `z${n}.example`);
  await withCloudflare(async ({ cloudflare, machine }) => {
    for (let n = 0; n < 5; n++) {
      const name = "api.example.com";
      cloudflare.addRecord({ name, type: "TXT", content: `text ${n}` });
    }
    const seen = await machine.check(API, target("a.z119.example"));
    assert.deepEqual(failures(seen), []);
    const a = { name: "api.example.com", type: "A", content: "192.0.2.1" };
    cloudflare.addRecord(a);
    assert.deepEqual(failures(await machine.check(API)), [
      "dns:api.example.com",
    ]);
  }, { zones: [...zones, "example.com"], pageLimit: 2 });
});

Deno.test("a foreign record is never touched, whenever it appears", async () => {
  const kinds = [
    { type: "A", content: "192.0.2.7" },
    { type: "AAAA", content: "2001:db8::7" },
    { type: "CNAME", content: "shop.example.net" },
    { type: "CNAME", content: `${crypto.randomUUID()}.cfargotunnel.com` },
  ];
  for (const kind of kinds) {
    await withCloudflare(async ({ cloudflare, machine }) => {
      const record = {
        ...cloudflare.addRecord({ name: WEB.hostname!, ...kind }),
      };
      const checks = await machine.check(API, WEB);
      assert.deepEqual(failures(checks), ["dns:web.example.com"]);
      const { detail } = checks.find(({ ok }) => !ok)!;
      assert.ok(detail.includes(`${kind.type} ${kind.content}`), detail);
      await refused(machine.open(API, WEB), /web\.example\.com/);
      assert.deepEqual(cloudflare.changes, [], "not even a tunnel was made");
      await machine.close(true);
      assert.deepEqual(cloudflare.records, [record]);
      assert.deepEqual(cloudflare.tunnels, []);
    });
  }
  await withCloudflare(async ({ cloudflare, machine }) => {
    await machine.open(API);
    const [ours] = cloudflare.records;
    ours!.content = "changed.example.net";
    assert.deepEqual(failures(await machine.check(API)), [
      "dns:api.example.com",
    ]);
    await refused(machine.open(API), /was changed by somebody/);
    const { left } = await machine.close(true);
    assert.match(left.join(), /somebody changed it to CNAME changed/);
    assert.equal(cloudflare.records[0]?.content, "changed.example.net");
  });
});

Deno.test("mail and text at a name may stay beside it", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    const apex = target("example.com");
    cloudflare.addRecord({
      name: "example.com",
      type: "MX",
      content: "mx.example.net",
      proxied: false,
    });
    assert.deepEqual(failures(await machine.check(apex)), []);
    await machine.open(apex);
    await machine.close(true);
    assert.deepEqual(cloudflare.records.map(({ type }) => type), ["MX"]);
  });
});

Deno.test("two machines with one project: the second is refused while the first is connected", async () => {
  await withCloudflare(async ({ cloudflare, token, machine }) => {
    await machine.open(API);
    const [tunnel] = cloudflare.tunnels;
    tunnel!.connections = [connection()];
    using second = new Machine(cloudflare, { token: token.value });
    const before = shape(cloudflare);
    const checks = await second.check(API);
    assert.ok(failures(checks).includes("tunnel:taskmux-shop"));
    const { fix } = checks.find(({ name }) => name.startsWith("tunnel:"))!;
    assert.match(fix ?? "", /config-set --scope project tunnel_name=/);
    await refused(second.open(API), /in use by a program at 203\.0\.113\.9/);
    assert.deepEqual(shape(cloudflare), before);
    assert.deepEqual(failures(await machine.check(API)), []);
    // Nobody uses it any more: it is taken over, but never deleted by whoever did not make it.
    tunnel!.connections = [];
    assert.deepEqual(failures(await second.check(API)), []);
    await second.open(API);
    const { removed, left } = await second.close(true);
    assert.deepEqual(removed, []);
    assert.match(left.join(), /was there before/);
    assert.equal(cloudflare.tunnels.length, 1);
    assert.equal(cloudflare.records.length, 1);
  });
});

function connection() {
  return {
    id: crypto.randomUUID(),
    client_id: crypto.randomUUID(),
    client_version: "2025.9.1",
    colo_name: "FRA01",
    opened_at: new Date().toISOString(),
    origin_ip: "203.0.113.9",
    is_pending_reconnect: false,
  } as const;
}

Deno.test("a tunnel of that name that serves others is left alone", async () => {
  const rules = {
    "other names": [{ hostname: "shop.example.net", service: "http://a" }],
    "everything": [{ service: "http://127.0.0.1:80" }],
  };
  for (const [kind, ingress] of Object.entries(rules)) {
    await withCloudflare(async ({ cloudflare, machine }) => {
      const config = { ingress };
      const theirs = cloudflare.addTunnel({ name: "taskmux-shop", config });
      const failed = failures(await machine.check(API));
      assert.deepEqual(failed, ["tunnel:taskmux-shop"], kind);
      await refused(machine.open(API), /leads to/);
      assert.deepEqual([theirs.config, cloudflare.records], [config, []]);
    });
  }
  await withCloudflare(async ({ cloudflare, machine }) => {
    cloudflare.addTunnel({ name: "taskmux-shop", config_src: "local" });
    await refused(machine.open(API), /configured by a file/);
    assert.deepEqual(cloudflare.changes, []);
  });
  await withCloudflare(async ({ cloudflare, machine }) => {
    await machine.open(API);
    const [tunnel] = cloudflare.tunnels;
    const extra = { hostname: "extra.example.com", service: "http://x" };
    tunnel!.config = { ingress: [extra, ...tunnel!.config!.ingress] };
    assert.deepEqual(failures(await machine.check(API)), [
      "tunnel:taskmux-shop",
    ]);
    await refused(machine.open(API), /extra\.example\.com/);
    await machine.close(false);
    assert.deepEqual(tunnel!.config.ingress.map(({ service }) => service), [
      "http://x",
      "http_status:404",
    ]);
    const { left } = await machine.close(true);
    assert.match(left.join(), /extra\.example\.com/);
    assert.equal(cloudflare.tunnels.length, 1);
  });
  await withCloudflare(async ({ cloudflare, machine }) => {
    await machine.open(API);
    const ingress = [{ service: "http://127.0.0.1:80" }];
    cloudflare.tunnels[0]!.config = { ingress };
    await refused(machine.open(API), /every other name/);
    await machine.close(false);
    assert.deepEqual(cloudflare.tunnels[0]!.config, { ingress });
  });
});

Deno.test("a name that is no longer wanted keeps its record, and leads nowhere", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    await machine.open(API, WEB);
    await machine.open(WEB);
    assert.deepEqual(shape(cloudflare), {
      ...BOTH_OPEN,
      ingress: [BOTH_OPEN.ingress[0]!.slice(1)],
    });
    const { removed, left } = await machine.close(false);
    assert.deepEqual(removed, []);
    assert.equal(left.length, 3);
    const only = [["* http_status:404"]];
    assert.deepEqual(shape(cloudflare), { ...BOTH_OPEN, ingress: only });
    assert.deepEqual([...Deno.readDirSync(machine.folder)], []);
    await machine.open(API, WEB);
    assert.deepEqual(shape(cloudflare), BOTH_OPEN);
  });
});

Deno.test("a tunnel that was deleted is made anew, and our records follow", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    // That a record is ours is found out afterwards, too.
    await dieAfter(machine, cloudflare, RECORD_MADE);
    const first = await machine.open(API, WEB);
    const ids = cloudflare.records.map(({ id }) => id);
    cloudflare.tunnels[0]!.deleted_at = new Date().toISOString();
    assert.deepEqual(failures(await machine.check(API, WEB)), []);
    const second = await machine.open(API, WEB);
    assert.notEqual(second.command, first.command, "it has to be restarted");
    assert.deepEqual(shape(cloudflare), BOTH_OPEN);
    assert.deepEqual(cloudflare.records.map(({ id }) => id), ids);
    assert.deepEqual((await machine.close(true)).left, []);
    assert.deepEqual([cloudflare.tunnels, cloudflare.records], [[], []]);
  });
});

Deno.test("prune removes what we made, and nothing else", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    const theirs = cloudflare.addRecord({
      name: "blog.example.com",
      content: "blog.example.net",
    });
    const tunnel = cloudflare.addTunnel({ name: "theirs" });
    await machine.open(API, WEB);
    const ours = cloudflare.tunnels.find(({ id }) => id !== tunnel.id)!;
    ours.connections = [connection()];
    const { removed, left } = await machine.close(true);
    assert.deepEqual(left, []);
    assert.equal(removed.length, 3);
    assert.deepEqual(cloudflare.tunnels, [tunnel]);
    assert.deepEqual(cloudflare.records, [theirs]);
    assert.equal(machine.memory, null);
    const { length } = cloudflare.journal;
    assert.deepEqual(await machine.close(true), { removed: [], left: [] });
    assert.equal(cloudflare.journal.length, length, "nothing is to be asked");
    using fresh = new Machine(cloudflare, { token: null });
    assert.deepEqual(await fresh.close(true), { removed: [], left: [] });
  });
});

Deno.test("a name that is said to be taken, and by nobody who is shown, is tried once", async () => {
  for (
    const [path, code] of [[/cfd_tunnel$/, 1013], [
      /dns_records$/,
      81053,
    ]] as const
  ) {
    await withCloudflare(async ({ cloudflare, machine }) => {
      const errors = [{ code, message: "It is there already" }];
      const body = { success: false, errors, messages: [], result: null };
      const method = "POST";
      cloudflare.fail({ method, path }, { status: 400, body, times: 9 });
      await refused(machine.open(API), new RegExp(`${code}`));
      const tries = cloudflare.journal.filter((visit) =>
        visit.method === method && path.test(visit.path)
      );
      assert.equal(tries.length, 1);
      assert.deepEqual(machine.clock.pauses, [500, 1_000, 2_000, 4_000]);
    });
  }
});

Deno.test("a memory that makes no sense is as good as none", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    const record = { zone: "z", id: 7, hostname: "h", content: "c" };
    for (const odd of [5, "x", [null, 3, {}, { id: "a" }], { record }]) {
      machine.memory = { tunnel: odd, records: odd, ingress: odd, former: odd };
      assert.deepEqual(failures(await machine.check(API)), []);
    }
    await machine.open(API);
    await machine.close(true);
    assert.deepEqual([cloudflare.tunnels, cloudflare.records], [[], []]);
  });
});

Deno.test("prune goes on where a fault stopped it", async () => {
  for (let n = 1; n <= 12; n++) {
    await withCloudflare(async ({ cloudflare, machine }) => {
      await machine.open(API, WEB);
      cloudflare.fail(n, { body: "late", times: 6 });
      await machine.close(true).catch((error: unknown) => {
        assert.ok(error instanceof TaskmuxError && error.code === "E741");
      });
      cloudflare.heal();
      assert.deepEqual((await machine.close(true)).left, []);
      assert.deepEqual([cloudflare.tunnels, cloudflare.records], [[], []]);
      assert.equal(machine.memory, null);
    });
  }
});

Deno.test("a token that is revoked while the tunnel is up is told as that", async () => {
  await withCloudflare(async ({ cloudflare, token, machine }) => {
    await machine.open(API);
    cloudflare.revoke(token);
    await refused(
      machine.open(API, WEB),
      /the token is not known, or was revoked/,
    );
    await refused(
      machine.close(false),
      /the token is not known, or was revoked/,
    );
    assert.deepEqual([...Deno.readDirSync(machine.folder)], []);
  });
});

Deno.test("a token that may only read is refused with the permission it lacks", async () => {
  await using cloudflare = await FakeCloudflare.open();
  const scopes = {
    "Account / Cloudflare Tunnel / Edit": ["tunnel:read", "dns:edit"],
    "Zone / DNS / Edit": ["tunnel:edit", "dns:read"],
  } as const;
  for (const [permission, given] of Object.entries(scopes)) {
    const token = cloudflare.token({ scopes: given }).value;
    using machine = new Machine(cloudflare, { token });
    assert.deepEqual(failures(await machine.check(API)), []);
    await assert.rejects(machine.open(API), (error) => {
      assert.ok(error instanceof TaskmuxError);
      assert.ok(error.hint?.includes(`"${permission}"`), error.hint);
      return true;
    });
  }
});
