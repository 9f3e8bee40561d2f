import assert from "node:assert/strict";
import { launchers, type PageRequest } from "../../../src/daemon/open_page.ts";

const URL = "https://api.shop.localhost:8443/a%20b?c=$d&e='f'";

function linesOf(
  env: Readonly<Record<string, string>>,
  os: PageRequest["os"] = "linux",
): string[][] {
  return launchers({ url: URL, env, os });
}

Deno.test("launchers() tries what BROWSER names first, then what the system has", () => {
  const display = { DISPLAY: ":0" };
  const system = [["xdg-open", URL], ["wslview", URL]];
  assert.deepEqual(linesOf(display), system);
  assert.deepEqual(linesOf({ ...display, BROWSER: "firefox" }), [
    ["firefox", URL],
    ...system,
  ]);
  assert.deepEqual(linesOf({ BROWSER: "w3m" }), [["w3m", URL]]);
  assert.deepEqual(linesOf({}), []);
  assert.deepEqual(linesOf({ DISPLAY: "", BROWSER: ":  :" }), []);
  assert.deepEqual(linesOf({}, "darwin"), [["open", URL]]);
});

Deno.test("launchers() reads BROWSER as other programs do, and no word of the address as a command", () => {
  const lines = linesOf({
    BROWSER: "/opt/b --new %s: one\t two :app%c//%s%%:%s",
  });
  assert.deepEqual(lines, [
    ["/opt/b", "--new", URL],
    ["one", "two", URL],
    [`app://${URL}%`],
    [URL],
  ]);
});
