/**
 * A session of Vite in a browser through the proxy: trusted by the user's own store of certificates, no flag that
 * ignores any, and a source file that is saved shows without the page being loaded again.
 */

import assert from "node:assert/strict";
import { HAS_TRUSTING_CHROMIUM, openBrowser } from "../support/chromium.ts";
import { HAS_SHOP_PACKAGES, linkPackages } from "../support/shop_packages.ts";
import { PROXY_CONFIG, testTaskmux } from "../support/taskmux.ts";

const CONFIG = `name = "paint"
[tasks.web]
command = "exec node_modules/.bin/vite --host 127.0.0.1 --port $PORT --strictPort"
host = "web"
health_url = "http://127.0.0.1:$PORT/"
`;

const PAGE =
  '<!doctype html><p id="text"></p><script type="module" src="/main.js"></script>\n';

const MAIN = `import { text } from "./text.js";
const show = (text) => document.querySelector("#text").textContent = text;
show(text);
import.meta.hot.accept("./text.js", (changed) => show(changed.text));
`;

Deno.test({
  name: "Vite swaps a module in a page that came through the proxy",
  ignore: !HAS_TRUSTING_CHROMIUM || !HAS_SHOP_PACKAGES,
  fn: async () => {
    await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
    const project = await taskmux.project(CONFIG);
    await linkPackages(project.folder);
    await project.file("index.html", PAGE);
    await project.file("main.js", MAIN);
    await project.file("text.js", 'export const text = "one";\n');
    await project.ok(["start"]);
    const { url } = await project.task("web");
    assert.match(url ?? "", /^https:\/\/web\.paint\.localhost:\d+$/);

    await using browser = await openBrowser(
      `${taskmux.home.paths.ca}/rootCA.pem`,
    );
    const page = await browser.open(url!);
    const shows = (text: string) =>
      page.sees(`document.querySelector("#text")?.textContent === "${text}"`);
    await shows("one");
    await page.sees("sockets.some(({ readyState }) => readyState === 1)");
    assert.equal(await page.evaluate("window.isSecureContext"), true);
    // The page by HTTP/2, and its WebSocket beside that.
    const [loaded] = await page.evaluate<[{ nextHopProtocol: string }]>(
      "performance.getEntriesByType('navigation').map((entry) => entry.toJSON())",
    );
    assert.equal(loaded.nextHopProtocol, "h2");
    await page.evaluate("window.mark = 1");
    await project.replaceFile("text.js", 'export const text = "two";\n');
    await shows("two");
    assert.equal(await page.evaluate("window.mark"), 1);

    // The page notices that its server is another one, and loads again by itself.
    await project.ok(["restart", "web"]);
    await page.sees("window.mark === undefined");
    await shows("two");
  },
});
