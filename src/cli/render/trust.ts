/**
 * The trust of this machine for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { Paint, Style } from "./paint.ts";
import { padText, plainText } from "./text.ts";

type Store = Result<"ca.status">["stores"][number];

/** What people read for a state. */
const WORDS: Readonly<Record<Store["state"], string>> = {
  installed: "trusts it now",
  present: "trusts it",
  removed: "no longer trusts it",
  absent: "does not trust it",
  needs_root: "needs root",
  no_tool: "needs a program",
  failed: "failed",
  unknown: "unknown",
};

const STYLES: Readonly<Record<Store["state"], Style>> = {
  installed: "green",
  present: "green",
  removed: "green",
  absent: "yellow",
  needs_root: "red",
  no_tool: "red",
  failed: "red",
  unknown: "yellow",
};

/** Each store with its state, what is to be known of it, and what to type. */
export function storeLines(stores: readonly Store[], paint: Paint): string[] {
  const width = Math.max(0, ...stores.map(({ store }) => store.length));
  return stores.flatMap(({ store, path, state, detail, fix }) => [
    `${padText(store, width)}  ${paint(STYLES[state], WORDS[state])}${
      detail === null ? "" : `: ${plainText(detail)}`
    }`,
    `${padText("", width)}  ${paint("dim", path)}`,
    ...fix === null
      ? []
      : [`${padText("", width)}  ${paint("dim", "type:")} ${fix}`],
  ]);
}

/** The certificate and the stores. */
export function statusLines(
  status: Result<"ca.status">,
  paint: Paint,
): string[] {
  const { path, fingerprint, subject, not_after: end, stores, bundle } = status;
  if (!status.exists) {
    return ["There is no certificate authority yet: taskmux ca install"];
  }
  return [
    `certificate  ${path}`,
    `subject      ${plainText(subject ?? "")}`,
    `sha256       ${fingerprint}`,
    `valid until  ${end}`,
    `bundle       ${bundle.path}${bundle.current ? "" : " (not up to date)"}`,
    "",
    ...storeLines(stores, paint),
  ];
}
