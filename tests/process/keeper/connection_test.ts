import assert from "node:assert/strict";
import { ownerIn } from "../../../src/pty/linux_connections.ts";
import type { KeeperRequests } from "../../../src/pty/protocol.ts";
import { type TestKeeper, testKeeper } from "../../support/keeper.ts";
import { HAS_PROC, procFiles } from "../../support/processes.ts";
import { AS_SECOND_USER, CAN_CHANGE_USER } from "../../support/second_user.ts";
import { until } from "../../support/until.ts";

type Ends = KeeperRequests["connectionOwners"]["params"];

/** The ends of a connection, told by who accepted it. */
function endsOf({ remoteAddr, localAddr }: Deno.TcpConn): Ends {
  return {
    client: { address: remoteAddr.hostname, port: remoteAddr.port },
    server: { address: localAddr.hostname, port: localAddr.port },
  };
}

/** Asks the keeper, which must say the same as the tables of the kernel. */
async function ownersOf(
  keeper: TestKeeper,
  ends: Ends,
): Promise<KeeperRequests["connectionOwners"]["result"]> {
  const told = await keeper.client.request("connectionOwners", ends);
  const text = ["tcp", "tcp6"].map((name) =>
    procFiles().text(`/proc/net/${name}`) ?? ""
  ).join("\n");
  assert.deepEqual(told, {
    client: ownerIn(text, ends.client, ends.server),
    server: ownerIn(text, ends.server, ends.client),
  });
  return told;
}

Deno.test({
  name: "the keeper tells whose the ends of a connection are",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const uid = Deno.uid();
    for (const hostname of ["127.0.0.1", "::1"]) {
      using listener = Deno.listen({ hostname, port: 0 });
      const { port } = listener.addr;
      const client = await Deno.connect({ hostname, port });
      using conn = await listener.accept();
      const ends = endsOf(conn);
      assert.deepEqual(await ownersOf(keeper, ends), {
        client: uid,
        server: uid,
      });
      // The kernel says of what nobody has open that it is root's.
      await client.write(new Uint8Array(8));
      client.close();
      await until(async () => {
        const owners = await ownersOf(keeper, ends);
        return !("unknown" in owners) && owners.client === null;
      }, { what: "it is nobody's" });
      // Where there is no such connection the kernel names who listens on that port.
      assert.deepEqual(
        await keeper.client.request("connectionOwners", {
          client: { address: hostname, port },
          server: { address: hostname, port: 9 },
        }),
        { client: null, server: null },
      );
    }
  },
});

Deno.test({
  name: "the keeper knows another user's end of a connection",
  ignore: !CAN_CHANGE_USER,
  fn: async () => {
    await using keeper = await testKeeper();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const [program = "", ...args] = AS_SECOND_USER;
    // The second is an IPv6 socket that speaks to an IPv4 address.
    for (const host of ["127.0.0.1", "[::ffff:127.0.0.1]"]) {
      const curl = new Deno.Command(program, {
        args: [...args, "curl", "-s", `http://${host}:${port}/`],
        stdout: "null",
      }).spawn();
      const conn = await listener.accept();
      const owners = await ownersOf(keeper, endsOf(conn));
      conn.close();
      await curl.status;
      assert.deepEqual(owners, { client: 65_533, server: 0 });
    }
  },
});

Deno.test("what is no end of a connection is refused", async () => {
  await using keeper = await testKeeper();
  const good = { address: "127.0.0.1", port: 80 };
  for (
    const bad of [
      { address: "evil", port: 80 },
      { address: "127.0.0.1", port: 0 },
      { address: "1".repeat(99), port: 80 },
      { port: 80 },
    ]
  ) {
    const params = { client: bad, server: good } as Ends;
    await assert.rejects(
      keeper.client.request("connectionOwners", params),
      { code: "E900" },
    );
  }
});
