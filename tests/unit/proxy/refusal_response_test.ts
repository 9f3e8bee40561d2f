import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { refusalResponse } from "../../../src/proxy/refusal_response.ts";
import type { Refusal } from "../../../src/proxy/router.ts";

const FAILED: Refusal = {
  kind: "refusal",
  status: 503,
  code: "failed",
  message: 'Task "api" is failed: exited with 1',
  projectId: "shop",
  task: "api",
  state: "failed",
  hint: "taskmux -C /work/shop start api",
  isTransient: false,
  lines: ["Error: no database"],
};

const STARTING: Refusal = { ...FAILED, code: "starting", isTransient: true };

function textOf({ body }: { readonly body: Uint8Array }): string {
  return new TextDecoder().decode(body);
}

Deno.test("the form of a refusal is the one that the client would rather have", () => {
  const forms: readonly (readonly [string | undefined, string])[] = [
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"],
    ["application/json, text/plain, */*", "json"],
    ["text/html;q=0.2, application/json", "json"],
    ["Application/JSON;q=0.5,TEXT/HTML;q=0.4", "json"],
    ["text/html;q=0, application/json;q=0", "plain"],
    ["text/html;q=nonsense", "plain"],
    ["text/plain, application/json;q=0.9", "plain"],
    ["*/*", "plain"],
    ["", "plain"],
    [undefined, "plain"],
  ];
  for (const [accept, form] of forms) {
    const { headers } = refusalResponse({ accept }, FAILED);
    assert.equal(
      headers["content-type"]?.replace(/^\w+\/|;.*$/g, ""),
      form,
      accept,
    );
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["vary"], "accept");
  }
});

Deno.test("every form tells task, state, why, its last words and what to type", () => {
  const json = JSON.parse(
    textOf(refusalResponse({ accept: "application/json" }, FAILED)),
  );
  assert.deepEqual(json, {
    ok: false,
    error_code: "E403",
    error: FAILED.message,
    reason: "failed",
    hint: FAILED.hint,
    session: "shop",
    task: "api",
    state: "failed",
    transient: false,
    lines: FAILED.lines,
  });
  assert.equal(
    textOf(refusalResponse({}, FAILED)),
    'taskmux: Task "api" is failed: exited with 1\n' +
      "  | Error: no database\ntype: taskmux -C /work/shop start api\n",
  );
  const page = textOf(refusalResponse({ accept: "text/html" }, FAILED));
  for (
    const part of [/is failed/, /<dd>failed</, /no database/, /start api</]
  ) {
    assert.match(page, part);
  }
});

Deno.test("the length is that of the bytes", () => {
  const refusal = { ...FAILED, message: "größer → 語", lines: ["\u{1f600}"] };
  for (const accept of ["text/html", "application/json", "*/*"]) {
    const { headers, body } = refusalResponse({ accept }, refusal);
    assert.equal(headers["content-length"], String(body.length));
    assert.match(textOf({ body }), /größer → 語/);
  }
});

Deno.test("nothing that is told can become markup, and nothing is loaded", () => {
  const bad = `"><script>alert('x')</script><img src=//evil.example>&amp;`;
  const refusal: Refusal = {
    ...FAILED,
    message: bad,
    projectId: bad,
    task: bad,
    state: bad,
    hint: bad,
    lines: [bad, "\x1b[31mred\x1b[0m\x00"],
  };
  const { headers, body } = refusalResponse({ accept: "text/html" }, refusal);
  const page = textOf({ body });
  const tags = new Set(
    [...page.matchAll(/<([a-z0-9!]+)/g)].map(([, tag]) => tag),
  );
  for (const tag of ["script", "img", "link", "iframe"]) {
    assert(!tags.has(tag), tag);
  }
  assert(!page.includes("evil.example>"));
  assert.doesNotMatch(page, /https?:/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(page, /[\x00\x1b]/);
  const style = /<style>([^]*?)<\/style>/.exec(page)![1]!;
  const digest = createHash("sha256").update(style).digest("base64");
  assert.equal(
    headers["content-security-policy"],
    `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`,
  );
  assert(body.length < 4096);
});

Deno.test("only what may pass soon is asked again, by itself only if it was got", () => {
  const accept = "text/html";
  const page = refusalResponse({ accept }, { ...STARTING, retryAfterS: 7 });
  assert.equal(page.headers["retry-after"], "7");
  assert.match(textOf(page), /http-equiv="refresh" content="7"/);
  const posted = refusalResponse({ accept }, STARTING, { method: "POST" });
  assert.equal(posted.headers["retry-after"], "2");
  assert.doesNotMatch(textOf(posted), /http-equiv="refresh"/);
  const final = refusalResponse({ accept }, FAILED);
  assert.equal(final.headers["retry-after"], undefined);
  assert.doesNotMatch(textOf(final), /http-equiv="refresh"/);
});
