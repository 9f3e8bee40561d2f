/**
 * Check of who trusts the certificates: stores, the bundle, and the files of shells that name it.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { type CheckAnswer, failed, passed, warned } from "../../kit/checks.ts";
import { kindOf } from "../../kit/set_aside.ts";
import { lookAtBlock } from "../../trust/shell_block.ts";
import { shellTrust, TRUST_SHELLS } from "../../trust/shell_trust.ts";
import { readTrust } from "../trust.ts";
import type { DoctorCheck, DoctorWorld } from "./world.ts";

const INSTALL = "taskmux ca install";

/** What only a person can repair is told; a machine without names has nothing to trust. */
export const trustCheck: DoctorCheck = {
  name: "trust",
  run: async (world) => {
    try {
      const { exists, stores, bundle, path } = await readTrust(world);
      if (!exists) return passed("no certificate authority yet");
      const wrong = stores.flatMap(({ store, path, trusted, detail, fix }) =>
        trusted !== false ? [] : warned(
          `${store} does not trust the certificates (${detail ?? path})`,
          fix ?? INSTALL,
        )
      );
      const answers = [
        ...wrong,
        ...kindOf(bundle.path) === "file" && !bundle.current
          ? [warned(`${bundle.path} is not up to date`, INSTALL)]
          : [],
        ...await blockAnswers(world),
      ];
      return answers.length > 0
        ? answers
        : passed(`every store trusts ${path}`);
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      // The check of the settings tells.
      if (error.code !== "E710") return passed("not known without settings");
      return failed(error.message, error.hint ?? INSTALL);
    }
  },
};

async function blockAnswers(
  { env, paths }: DoctorWorld,
): Promise<CheckAnswer[]> {
  if (!env["HOME"]?.startsWith("/")) return [];
  const answers = TRUST_SHELLS.map(async (shell) => {
    const bundle = paths.caBundle;
    const { rcFile, lines } = shellTrust({ shell, env, bundle });
    if (await lookAtBlock(rcFile, lines) !== "outdated") return [];
    const fix = `taskmux ca trust-clients --shell ${shell}`;
    return [warned(`the block in ${rcFile} is not up to date`, fix)];
  });
  return (await Promise.all(answers)).flat();
}
