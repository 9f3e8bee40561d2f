/**
 * The daemon as an agent of launchd: that of a user, or of the system.
 *
 * @module
 */

import { MARK, type Service } from "./service.ts";

/** The name under which launchd knows the daemon. */
export const LAUNCHD_LABEL = "com.taskmux.daemon";

/** Time for every grace period, one level of dependencies after the other. */
const EXIT_TIMEOUT_S = 180;

/** The text of the property list. Pure. */
export function launchdPlist(service: Service): string {
  const { command, environment } = service;
  const words = [command.program, ...command.args].map((word) =>
    `    <string>${escaped(word)}</string>`
  );
  const variables = Object.entries(environment).flatMap(([name, value]) => [
    `    <key>${escaped(name)}</key>`,
    `    <string>${escaped(value)}</string>`,
  ]);
  // KeepAlive: again after a crash, not after a stop. AbandonProcessGroup: the keeper outlives a daemon that crashed.
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${MARK} -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LAUNCHD_LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words.join("\n")}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables.join("\n")}
  </dict>
  <key>WorkingDirectory</key>
  <string>/</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>AbandonProcessGroup</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>5</integer>
  <key>ExitTimeOut</key>
  <integer>${EXIT_TIMEOUT_S}</integer>
  <key>ProcessType</key>
  <string>Interactive</string>
</dict>
</plist>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
