/**
 * A refusal as a page: one file without scripts, which loads nothing.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Refusal } from "./router.ts";

/** What every page of ours looks like. */
export const PAGE_STYLE = `:root{color-scheme:light dark}
body{margin:0;font:16px/1.5 system-ui,sans-serif;background:light-dark(#fafafa,#161616);color:light-dark(#222,#ddd)}
main{max-width:44rem;margin:12vh auto;padding:0 1.5rem}
h1{font-size:1.35rem;line-height:1.35;overflow-wrap:anywhere}
small,dt{color:light-dark(#666,#999)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}
dd{margin:0;overflow-wrap:anywhere}
code,pre{font:14px/1.5 ui-monospace,monospace}
pre{padding:.8rem 1rem;overflow-x:auto;border-radius:6px;background:light-dark(#eee,#222)}`;

/** The policy under which a page works: its own style, and a form only where one is named. */
export function pagePolicy(formAction: "'none'" | "'self'" = "'none'"): string {
  const digest = createHash("sha256").update(PAGE_STYLE).digest("base64");
  return `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action ${formAction}`;
}

/** The page. @param options After how many seconds it asks again; null = it does not. */
export function refusalPage(
  refusal: Refusal,
  { refreshS }: { readonly refreshS: number | null },
): string {
  const { message, task, state, projectId, lines = [], hint } = refusal;
  const facts = [["Project", projectId], ["Task", task], ["State", state]]
    .flatMap(([name, value]) =>
      value ? [`<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`] : []
    );
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    ...refreshS === null
      ? []
      : [`<meta http-equiv="refresh" content="${refreshS}">`],
    `<title>${escapeHtml(titleOf(refusal))}</title>`,
    `<style>${PAGE_STYLE}</style></head><body><main>`,
    `<h1>${escapeHtml(message)}</h1>`,
    ...facts.length === 0 ? [] : [`<dl>${facts.join("")}</dl>`],
    ...lines.length === 0
      ? []
      : [`<p>Its last words:</p><pre>${escapeHtml(lines.join("\n"))}</pre>`],
    ...hint === null ? [] : [`<p>Type:</p><pre>${escapeHtml(hint)}</pre>`],
    `<p><small>taskmux, ${refusal.status}${
      refreshS === null ? "" : `; asks again in ${refreshS} s`
    }</small></p>`,
    "</main></body></html>",
    "",
  ].join("\n");
}

function titleOf({ task, state, status }: Refusal): string {
  if (task === null) return `${status} · taskmux`;
  return `${task}${state === null ? "" : `: ${state}`} · taskmux`;
}

/** Text as it stands in a page. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
