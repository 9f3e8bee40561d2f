/**
 * Secrets in the lines of logs, for answers that cut lines: a part of a secret gives itself away to nobody afterwards.
 *
 * @module
 */

import type { Scope } from "../contract/operation.ts";
import { RecordRedactor } from "../domain/record_redactor.ts";
import type { CallContext } from "./dispatcher.ts";
import type { Services } from "./services.ts";

/** What takes them out; null = the caller may see them. */
export async function logSecrets(
  { secrets }: Pick<Services, "secrets">,
  scope: Scope,
  { reveal }: Pick<CallContext, "reveal">,
): Promise<RecordRedactor | null> {
  return reveal ? null : new RecordRedactor(await secrets.redactorFor(scope));
}
