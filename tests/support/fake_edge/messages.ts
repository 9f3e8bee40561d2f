/**
 * What a fake program and the fake edge tell each other: lines of JSON over a connection that stands for the tunnel. When
 * it ends, the tunnel does.
 *
 * @module
 */

/** The first line of a program. */
export type Hello =
  | {
    readonly program: "cloudflared";
    /** The token of a named tunnel; null = a quick one is wanted. */
    readonly token: string | null;
    /** The name that a quick tunnel has already. */
    readonly hostname: string | null;
    readonly connectorId: string;
    readonly version: string;
    /** Where the program takes requests. */
    readonly port: number;
  }
  | {
    readonly program: "ngrok";
    readonly authtoken: string;
    /** The name that is wanted; null = any. */
    readonly hostname: string | null;
    readonly port: number;
  }
  | {
    readonly program: "tailscale";
    /** Where it is served: `NAME:PORT`; null = to be told what is. */
    readonly served: string | null;
    /** Whether it is for everybody. */
    readonly isPublic: boolean;
    /** Where it leads, as it was said. */
    readonly target: string;
    readonly port: number;
  };

/** A connection as the edge made it. */
export interface EdgeLink {
  readonly id: string;
  readonly ip: string;
  readonly location: string;
}

/** A line of the edge. */
export type EdgeMessage =
  | {
    readonly type: "registered";
    readonly hostname: string | null;
    readonly tunnelId: string | null;
    readonly links: readonly EdgeLink[];
  }
  | {
    readonly type: "refused";
    readonly error: string;
    /** Whether another try may help. */
    readonly retry: boolean;
  }
  /** The rules of a named tunnel, now and whenever they change. */
  | {
    readonly type: "config";
    readonly version: number;
    readonly config: unknown;
  }
  /** What runs of tailscale on this machine. */
  | {
    readonly type: "serving";
    readonly sessions: readonly {
      readonly served: string;
      readonly isPublic: boolean;
      readonly target: string;
    }[];
  }
  /** The program is to end itself with this code, as if it had failed. */
  | { readonly type: "die"; readonly code: number };

/** The lines of a connection, as they come, until it ends. */
export async function* messageLines(
  conn: Deno.Conn,
): AsyncGenerator<unknown, void> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(16 * 1024);
  let text = "";
  while (true) {
    let count: number | null;
    try {
      count = await conn.read(chunk);
    } catch (error) {
      // Whoever closed it, on either side: it has ended.
      if (error instanceof Error) return;
      throw error;
    }
    if (count === null) return;
    text += decoder.decode(chunk.subarray(0, count), { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}

/** Sends a line; what cannot be sent any more is dropped. */
export async function sendMessage(
  conn: Deno.Conn,
  message: Hello | EdgeMessage,
): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += await conn.write(bytes.subarray(sent));
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
