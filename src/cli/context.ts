/**
 * What every command is given: where it was called, what was asked for globally, where state is, where answers go.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import type { NewsDesk } from "../client/news_desk.ts";
import type { Manner } from "../contract/wire.ts";
import type { TargetUser } from "../config/target_user.ts";
import type { Output } from "./output.ts";

/** The surroundings of one invocation. */
export interface Context {
  readonly json: boolean;
  /** Absolute folder the command works in: `-C`, else the working directory. */
  readonly folder: string;
  /** Absolute path given by `--config`; null = search upwards. */
  readonly config: string | null;
  /** How everything is asked: who asks, whether secrets are shown. */
  readonly manner: Manner;
  /** Where what is new to the caller goes; without a caller undefined. */
  readonly news: NewsDesk | undefined;
  readonly paths: Paths;
  /** The user who called `sudo`, whose daemon is meant; null without it. */
  readonly user: TargetUser | null;
  /** The environment of the shell; under `sudo` with that user's home. */
  readonly env: () => Record<string, string>;
  readonly output: Output;
}
