import assert from "node:assert/strict";
import { TaskmuxError } from "../../src/domain/error.ts";
import {
  apiBase,
  CloudflareApi,
} from "../../src/tunnels/cloudflare/cloudflare_api.ts";
import { CloudflareRefusal } from "../../src/tunnels/cloudflare/cloudflare_refusal.ts";
import {
  askedPauseMs,
  backoffMs,
} from "../../src/tunnels/cloudflare/request_pace.ts";
import { until } from "../support/until.ts";
import { type HastyClock, hastyClock } from "../support/hasty_clock.ts";

const TOKEN = "cfut_secretsecretsecretsecretsecretsecretsecret";
const CALL = { path: "/things", doing: "look at things" };

interface Seen {
  readonly path: string;
  readonly authorization: string | null;
}

/** A server that answers with what the test gives, one answer for each request, the last one for all others. */
async function serve(
  answers: readonly ((request: Request) => Response | Promise<Response>)[],
  test: (seen: {
    readonly api: CloudflareApi;
    readonly base: string;
    readonly clock: HastyClock;
    readonly requests: readonly Seen[];
    readonly signal: AbortSignal;
  }) => Promise<void>,
  { patienceMs, token = TOKEN }: {
    readonly patienceMs?: number;
    readonly token?: string;
  } = {},
): Promise<void> {
  const requests: Seen[] = [];
  // Whoever hangs up amid a request is no news here.
  const onError = (): Response => new Response(null, { status: 500 });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, onError },
    (request) => {
      const authorization = request.headers.get("authorization");
      requests.push({ path: new URL(request.url).pathname, authorization });
      return answers[Math.min(requests.length, answers.length) - 1]!(request);
    },
  );
  const stop = new AbortController();
  const base = apiBase(`http://127.0.0.1:${server.addr.port}/client/v4/`);
  const clock = hastyClock(patienceMs);
  try {
    const api = new CloudflareApi({ base, token, clock });
    await test({ api, base, clock, requests, signal: stop.signal });
  } finally {
    stop.abort();
    await server.shutdown();
  }
}

function good(result: unknown, info?: unknown): () => Response {
  return () =>
    Response.json({
      success: true,
      errors: [],
      messages: [],
      result,
      ...(info === undefined ? {} : { result_info: info }),
    });
}

function bad(
  status: number,
  errors: readonly unknown[],
  headers: Record<string, string> = {},
): () => Response {
  const body = { success: false, errors, messages: [], result: null };
  return () => Response.json(body, { status, headers });
}

async function refusal(work: Promise<unknown>): Promise<CloudflareRefusal> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof CloudflareRefusal, Deno.inspect(error));
    assert.equal(error.code, "E741");
    assert.ok(!Deno.inspect(error).includes(TOKEN));
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
}

Deno.test("a request carries the token as a header, and only to the base address", async () => {
  await using elsewhere = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => {
      throw new Error("the token was sent elsewhere");
    },
  );
  const away = `http://127.0.0.1:${elsewhere.addr.port}/`;
  await serve([
    good({ id: "a" }),
    () => new Response(null, { status: 302, headers: { location: away } }),
  ], async ({ api, requests, signal }) => {
    assert.deepEqual(await api.get(CALL, signal), { id: "a" });
    assert.deepEqual(requests[0], {
      path: "/client/v4/things",
      authorization: `Bearer ${TOKEN}`,
    });
    const error = await refusal(api.get(CALL, signal));
    assert.match(error.message, /HTTP 302 leads elsewhere/);
  });
});

Deno.test("a list is read to its last page, whatever the API tells of its pages", async () => {
  const item = (n: number) => ({ id: `i${n}` });
  const all = Array.from({ length: 7 }, (_, n) => item(n));
  const pages =
    (info: (page: number, size: number) => unknown, most: number) =>
    (request: Request): Response => {
      const query = new URL(request.url).searchParams;
      const page = Number(query.get("page"));
      const size = Math.min(most, Number(query.get("per_page")));
      const found = all.slice((page - 1) * size, page * size);
      return good(found, info(page, size))();
    };
  const kinds = {
    total_pages: pages((_, size) => ({
      per_page: size,
      total_pages: Math.ceil(all.length / size),
    }), 50),
    total_count: pages((_, size) => ({ per_page: size, total_count: 7 }), 50),
    "a server that gives less than asked": pages(
      (_, size) => ({ per_page: size, total_count: 7 }),
      2,
    ),
    nothing: pages(() => undefined, 50),
  };
  for (const [kind, answer] of Object.entries(kinds)) {
    await serve([answer], async ({ api, signal }) => {
      assert.deepEqual(await api.list(CALL, 3, signal), all, kind);
    });
  }
});

Deno.test("a list that moves while it is read has each item once, and one without end is given up", async () => {
  const info = { total_pages: 2 };
  await serve([
    good([{ id: "a" }, { id: "b" }], info),
    good([{ id: "b" }, { id: "c" }], info),
  ], async ({ api, signal }) => {
    const items = await api.list(CALL, 2, signal);
    assert.deepEqual(items.map(({ id }) => id), ["a", "b", "c"]);
  });
  let n = 0;
  await serve([
    () => good([{ id: `${n++}` }], { total_pages: 100_000 })(),
  ], async ({ api, signal, requests }) => {
    const error = await refusal(api.list(CALL, 1, signal));
    assert.match(error.message, /more than 200 pages/);
    assert.equal(requests.length, 200);
  });
});

Deno.test("a server's fault is met with patience, as long as once more does no harm", async () => {
  const fault = bad(503, []);
  await serve([fault, fault, good(1)], async ({ api, clock, signal }) => {
    assert.equal(await api.get(CALL, signal), 1);
    const [first = 0, second = 0] = clock.pauses;
    assert.ok(first >= 250 && first <= 500, `${first}`);
    assert.ok(second >= 500 && second <= 1_000, `${second}`);
  });
  await serve([fault], async ({ api, requests, signal }) => {
    const error = await refusal(api.put({ ...CALL, body: {} }, signal));
    assert.equal(requests.length, 5);
    assert.equal(error.isUncertain, false);
    assert.match(error.hint ?? "", /cloudflarestatus/);
  });
  await serve([fault, good(1)], async ({ api, requests, signal }) => {
    const error = await refusal(api.post({ ...CALL, body: {} }, signal));
    assert.equal(requests.length, 1);
    assert.equal(error.isUncertain, true, "it may have been done");
  });
});

Deno.test("a request that came too soon is made again when the API says", async () => {
  const limited = bad(429, [{ code: 10429, message: "Please wait" }], {
    "retry-after": "7",
  });
  await serve([limited, good(1)], async ({ api, clock, signal }) => {
    assert.equal(await api.post({ ...CALL, body: {} }, signal), 1);
    assert.deepEqual(clock.pauses, [7_000]);
  });
  const forLong = bad(429, [{ code: 971, message: "Please wait" }], {
    "retry-after": "290",
  });
  await serve([forLong], async ({ api, clock, signal }) => {
    const error = await refusal(api.get(CALL, signal));
    assert.equal(error.reason, "limited");
    assert.deepEqual(clock.pauses, []);
    assert.match(error.hint ?? "", /five minutes/);
  });
});

Deno.test("pauses: both forms of Retry-After, the header of the limit, doubled without either", () => {
  const now = Date.parse("2026-11-21T10:00:00Z");
  const asked = (headers: Record<string, string>) =>
    askedPauseMs(new Headers(headers), now);
  assert.equal(asked({ "retry-after": "12" }), 12_000);
  assert.equal(
    asked({ "retry-after": "Sat, 21 Nov 2026 10:00:09 GMT" }),
    9_000,
  );
  assert.equal(asked({ "retry-after": "Sat, 21 Nov 2026 09:00:00 GMT" }), 0);
  assert.equal(asked({ "retry-after": "soon" }), null);
  assert.equal(asked({ ratelimit: '"default";r=0;t=30' }), 30_000);
  assert.equal(asked({ ratelimit: '"default";r=5;t=30' }), null);
  assert.equal(asked({}), null);
  const waits = [1, 2, 3, 4, 5, 6].map((n) => backoffMs(n, 0.999999));
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
  assert.equal(backoffMs(3, 0), 1_000);
});

Deno.test("what is no answer of the API is told as what it is, and believed in nothing", async () => {
  const page = "<html><head><title>Log in to Hotel WiFi</title></head></html>";
  const kinds: readonly [() => Response, RegExp][] = [
    [
      () => new Response(page, { status: 404 }),
      /HTTP 404 came with a web page, "Log in to Hotel WiFi"/,
    ],
    [() => new Response(page), /HTTP 200 came with a web page/],
    [() => new Response('{"success":tru'), /not the API's/],
    [() => new Response(""), /without an answer/],
    [() => new Response("x".repeat(5 * 1024 * 1024)), /without an answer/],
    [() => Response.json({ success: false }), /not the API's/],
  ];
  for (const [answer, words] of kinds) {
    await serve([answer], async ({ api, signal }) => {
      const error = await refusal(api.get(CALL, signal));
      assert.match(error.message, words);
      assert.deepEqual(
        [error.isMissing, error.isDenied, error.isTaken],
        [false, false, false],
      );
    });
  }
});

Deno.test("what the API refuses is told in its words and codes, with a remedy for each", async () => {
  const chain = [{
    code: 6003,
    message: "Invalid request headers",
    error_chain: [{
      code: 6111,
      message: "Invalid format for Authorization header",
    }],
  }];
  const kinds: readonly [() => Response, RegExp, RegExp][] = [
    [
      bad(400, chain),
      /"Invalid request headers \(6003\), Invalid format for Authorization header \(6111\)", HTTP 400/,
      /Copy the API token again/,
    ],
    [
      bad(403, [{ code: 10000, message: "Authentication error" }]),
      /Authentication error/,
      /"Account \/ Cloudflare Tunnel \/ Edit"/,
    ],
    [
      bad(404, [{ code: 7003, message: "Could not route" }]),
      /7003/,
      /account_id and zone_id/,
    ],
    [
      bad(400, [{ code: 81053, message: "A record exists" }]),
      /81053/,
      /Delete or rename/,
    ],
    [bad(409, [{ code: 1013, message: "name" }]), /1013/, /tunnel_name/],
    [bad(400, [{ code: 1022, message: "busy" }]), /1022/, /Stop cloudflared/],
    [bad(400, [{ code: 81045, message: "quota" }]), /81045/, /as its plan/],
    [bad(400, [{ code: 1056, message: "config" }]), /1056/, /public hostnames/],
  ];
  for (const [answer, words, hint] of kinds) {
    await serve([answer], async ({ api, requests, signal }) => {
      const call = { ...CALL, needs: "Account / Cloudflare Tunnel / Edit" };
      const error = await refusal(api.get(call, signal));
      assert.match(error.message, words);
      assert.match(error.hint ?? "", hint);
      assert.equal(requests.length, 1, "to ask again would not help");
    });
  }
});

Deno.test("the token is in no error, not even when the server or the token itself wants it", async () => {
  const echo = bad(400, [{ code: 1, message: `Bearer ${TOKEN} is bad` }]);
  await serve([echo], async ({ api, signal }) => {
    const error = await refusal(api.get(CALL, signal));
    assert.match(error.message, /Bearer \[token\] is bad/);
  });
  const odd = "cfut_with\nnewline";
  await serve([good(1)], async ({ api, requests, signal }) => {
    const error = await refusal(api.get(CALL, signal));
    assert.match(error.message, /characters that no token has/);
    assert.ok(!Deno.inspect(error).includes("newline"));
    assert.equal(requests.length, 0);
  }, { token: odd });
});

Deno.test("a server that does not answer is given up in time, and a cancelled request at once", async () => {
  const hang = (request: Request): Promise<Response> => {
    const { promise, reject } = Promise.withResolvers<Response>();
    request.signal.addEventListener(
      "abort",
      () => reject(request.signal.reason),
    );
    return promise;
  };
  // With this clock thirty seconds are over at once.
  await serve([hang], async ({ api, signal }) => {
    const error = await refusal(api.get(CALL, signal));
    assert.equal(error.reason, "unreachable");
    assert.match(error.message, /no answer within 30 s/);
  }, { patienceMs: Infinity });
  await serve([hang], async ({ api, requests }) => {
    const stop = new AbortController();
    const work = api.get(CALL, stop.signal);
    const reason = new Error("enough");
    await until(() => requests.length === 1);
    stop.abort(reason);
    await assert.rejects(work, reason);
  });
});

Deno.test("what is gone already counts as deleted", async () => {
  const gone = bad(404, [{ code: 81044, message: "Record does not exist." }]);
  await serve([gone], async ({ api, signal }) => {
    await api.delete(CALL, signal);
  });
});

Deno.test("the address of the API can only be replaced by one of this machine", () => {
  assert.equal(apiBase(null), "https://api.cloudflare.com/client/v4");
  assert.equal(apiBase(" "), "https://api.cloudflare.com/client/v4");
  for (
    const local of [
      "http://127.0.0.1:99/client/v4",
      "http://localhost:99",
      "https://[::1]:99/x",
    ]
  ) assert.equal(apiBase(`${local}/`), local);
  for (
    const foreign of [
      "https://evil.example/client/v4",
      "http://127.0.0.1.evil.example/",
      "http://127.0.0.1@evil.example/",
      "http://user:pass@127.0.0.1/",
      "file:///etc/passwd",
      "not an address",
    ]
  ) {
    assert.throws(
      () => apiBase(foreign),
      (error) => error instanceof TaskmuxError && error.code === "E500",
      foreign,
    );
  }
});

Deno.test("no proxy of the environment is given the token of a request that stays here", async () => {
  const seen: string[] = [];
  const serve = (name: string) =>
    Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => {
        seen.push(name);
        return Response.json({ success: true, result: name });
      },
    );
  await using server = serve("server");
  await using proxy = serve("proxy");
  const url = (path: string) => new URL(path, import.meta.url).href;
  const code = `
    import { CloudflareApi } from "${
    url("../../src/tunnels/cloudflare/cloudflare_api.ts")
  }";
    import { systemClock as clock } from "${url("../../src/kit/clock.ts")}";
    const api = new CloudflareApi({
      base: "http://127.0.0.1:${server.addr.port}/v4", token: "t", clock,
    });
    const { signal } = new AbortController();
    console.log(await api.get({ path: "/x", doing: "look" }, signal));`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", code],
    env: { HTTP_PROXY: `http://127.0.0.1:${proxy.addr.port}` },
  }).output();
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(stdout).trim(), "server", decoder.decode(stderr));
  assert.deepEqual(seen, ["server"]);
});
