import assert from "node:assert/strict";
import { isOfForeignPage } from "../../../src/proxy/foreign_page.ts";

const CROSS = ["Sec-Fetch-Site", "cross-site"];

Deno.test("a page is foreign if it asks from elsewhere, and no link was followed", () => {
  const cases: readonly (readonly [headers: string[], isForeign: boolean])[] = [
    [[], false],
    [["Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"], false],
    [["Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"], false],
    [[...CROSS, "Sec-Fetch-Mode", "no-cors"], true],
    [
      [...CROSS, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"],
      false,
    ],
    [
      [...CROSS, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"],
      true,
    ],
    [[...CROSS, "Origin", "https://web.front.localhost:8443"], false],
    [[...CROSS, "Origin", "https://evil.example"], true],
    [[...CROSS, "Origin", "null"], true],
    [[...CROSS, "Origin", "https://front.localhost.evil.example"], true],
    [[...CROSS, "Sec-Fetch-Mode", "websocket", "Origin", "http://x"], true],
  ];
  for (const [headers, isForeign] of cases) {
    assert.equal(
      isOfForeignPage(headers, "localhost"),
      isForeign,
      `${headers}`,
    );
  }
});
