/**
 * What the proxy tells of a task holds no secrets: its pages quote the output of tasks, to whoever reaches the port.
 *
 * @module
 */

import type { Scope } from "../contract/operation.ts";
import { AnswerRedactor } from "../domain/answer_redactor.ts";
import type { Redactor } from "../domain/redactor.ts";
import type { Refusal, Router } from "../proxy/router.ts";

/** Finds as `inner` does; secrets are looked up when there is a refusal. */
export function discreetRouter(
  inner: Router,
  redactorFor: (scope: Scope) => Promise<Redactor>,
): Router {
  const discreet = async (refusal: Refusal): Promise<Refusal> => {
    const { projectId, message, lines = [] } = refusal;
    if (projectId === null) return refusal;
    const redactor = new AnswerRedactor(
      await redactorFor({ session: projectId }),
    );
    return { ...refusal, ...redactor.redact({ message, lines }) };
  };
  return {
    tld: inner.tld,
    knows: (projectId) => inner.knows(projectId),
    async find(name, client, options) {
      const route = await inner.find(name, client, options);
      return route.kind === "refusal" ? await discreet(route) : route;
    },
    failed: (upstream, error) => inner.failed(upstream, error),
  };
}
