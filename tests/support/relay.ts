/**
 * A port of 127.0.0.1 that leads to another one, which may change: what a name does whose DNS answer changes.
 *
 * @module
 */

/** An open relay. Disposal closes it and whatever goes through it. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Status of each answer that went through since the last change of the target, in order per connection. */
  readonly statuses: readonly number[];
  /** Where connections lead from now on; those that are open end. */
  leadTo(port: number): void;
}

/** Opens one. */
export function openRelay(target: number): Relay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const statuses: number[] = [];
  const open = new Set<Deno.Conn>();
  const running: Promise<void>[] = [];
  let port = target;
  const pass = async (client: Deno.Conn): Promise<void> => {
    open.add(client);
    const noted = port;
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    open.add(server);
    if (noted !== port) close(client);
    await Promise.race([
      copy(client, server, () => {}),
      copy(server, client, (text) => {
        if (noted !== port) return;
        for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
          statuses.push(Number(status));
        }
      }),
    ]);
    close(client);
    close(server);
  };
  const accepting = (async () => {
    for await (const client of listener) running.push(pass(client));
  })();
  return {
    port: listener.addr.port,
    statuses,
    leadTo: (next) => {
      port = next;
      statuses.length = 0;
      for (const conn of open) close(conn);
    },
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      for (const conn of open) close(conn);
      await Promise.all(running);
    },
  };
}

/** Until either side is gone. */
async function copy(
  from: Deno.Conn,
  to: Deno.Conn,
  note: (text: string) => void,
): Promise<void> {
  const chunk = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder("latin1");
  try {
    while (true) {
      const count = await from.read(chunk);
      if (count === null) return;
      note(decoder.decode(chunk.subarray(0, count)));
      for (let sent = 0; sent < count;) {
        sent += await to.write(chunk.subarray(sent, count));
      }
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
