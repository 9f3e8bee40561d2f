/**
 * Handlers of the operations on addresses.
 *
 * @module
 */

import {
  type AddressBook,
  addressesOf,
  findAddress,
  findPage,
  findPublicUrl,
} from "../../domain/address.ts";
import { systemClock } from "../../kit/clock.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { Handlers } from "../dispatcher.ts";
import { expectedProxy } from "../front_view.ts";
import { openPage } from "../open_page.ts";
import type { Services } from "../services.ts";
import { trustTip } from "../trust_tip.ts";

type AddressHandlers = Pick<
  Handlers,
  "address.get" | "address.list" | "address.open"
>;

/** See the module. */
export function addressHandlers(services: Services): AddressHandlers {
  const { projects } = services;
  const bookOf = (supervisor: ProjectSupervisor): AddressBook => ({
    ...supervisor.addressBook(),
    proxy: expectedProxy(services),
  });
  return {
    "address.get": async ({ scope, name, public: isPublic, tips }) => {
      await using looked = await projects.look(scope);
      const book = bookOf(looked.supervisor);
      if (isPublic) findPublicUrl(book, name);
      const { url, publicUrl } = findAddress(book, name);
      const visits = tips && !isPublic ? [url] : [];
      const warnings = await warningsOf(services, visits);
      return { ok: true, task: name, url, public_url: publicUrl, ...warnings };
    },
    "address.list": async ({ scope, tips }) => {
      await using looked = await projects.look(scope);
      const book = bookOf(looked.supervisor);
      const urls = addressesOf(book).flatMap(
        ({ name: task, host, url, publicUrl: public_url }) =>
          url === null ? [] : [{ task, host, url, public_url }],
      );
      const visits = tips ? urls.map(({ url }) => url) : [];
      const warnings = await warningsOf(services, visits);
      return { ok: true, project_id: book.projectId, urls, ...warnings };
    },
    "address.open": async (params, { signal }) => {
      const { scope, name, public: isPublic, env } = params;
      const supervisor = await projects.require(scope);
      const book = supervisor.addressBook();
      const url = isPublic
        ? findPublicUrl(book, name)
        : findPage(book, name).url;
      const trouble = await openPage({
        url,
        env,
        cwd: supervisor.spec.root,
        os: Deno.build.os,
        clock: systemClock,
        signal,
      });
      const warnings = await warningsOf(services, isPublic ? [] : [url]);
      const opened = { ok: trouble === null, task: name, url, ...warnings };
      return trouble === null ? opened : {
        ...opened,
        error_code: "E704",
        error: `Cannot open ${url}: ${trouble}`,
        hint: "Open it by hand, or name your browser: BROWSER=firefox",
      };
    },
  };
}

/** What somebody should know who visits these addresses. Nothing for those without TLS. */
async function warningsOf(
  services: Services,
  urls: readonly string[],
): Promise<{ readonly warnings?: string[] }> {
  if (!urls.some((url) => url.startsWith("https:"))) return {};
  const warnings = await trustTip(services, "visit");
  return warnings.length === 0 ? {} : { warnings };
}
