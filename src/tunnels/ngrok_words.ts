/**
 * What ngrok's errors mean where taskmux runs it. Their numbers are stable (https://ngrok.com/docs/errors/), their words are
 * not; some of them repeat the authtoken.
 *
 * @module
 */

const TOKEN = "ngrok config add-authtoken TOKEN, with the one of " +
  "https://dashboard.ngrok.com/get-started/your-authtoken";
const BAD_TOKEN =
  `ngrok does not take this authtoken (NGROK_AUTHTOKEN counts before its settings): ${TOKEN}`;
const OLD = "ngrok does not serve this version any more: ngrok update";
const RESERVE =
  "This name does not belong to the ngrok account: reserve it at https://dashboard.ngrok.com/domains, or leave --hostname out";

const BY_NUMBER: Readonly<Record<string, string>> = {
  "105": BAD_TOKEN,
  "106": BAD_TOKEN,
  "107": BAD_TOKEN,
  "300": BAD_TOKEN,
  "108":
    "The ngrok account has as many agents running as it may, on any machine: end one of https://dashboard.ngrok.com/agents, " +
    "or use another backend (--via cloudflare-quick)",
  "120": OLD,
  "121": OLD,
  "319": RESERVE,
  "320": RESERVE,
  "334":
    "This name is in use by another ngrok of the same account (one without paying has one name only): end that one, see " +
    "https://dashboard.ngrok.com/endpoints, or use another backend (--via cloudflare-quick)",
  "4018": `ngrok works with an account only: ${TOKEN}`,
};

const BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /console_ui/,
    "The settings of ngrok say console_ui: true, which does not go with a log: take it out (ngrok config edit)",
  ],
  [
    /listen tcp .*: bind: address already in use/,
    "The settings of ngrok give its web interface a port that is in use: take web_addr out (ngrok config edit)",
  ],
  [
    /failed to (?:dial|fetch CRL)|x509: certificate signed by unknown authority/,
    "ngrok cannot reach its servers from this network: ngrok diagnose",
  ],
];

/** What a line of its log means, and what to do; null = nothing that has to be told. */
export function explainNgrok(line: string): string | null {
  const number = /ERR_NGROK_(\d+)/i.exec(line)?.[1];
  if (number !== undefined) {
    return BY_NUMBER[number] ??
      `ngrok refused: https://ngrok.com/docs/errors/err_ngrok_${number}`;
  }
  // Warnings say that it goes on another way, such as with another port.
  if (/\blvl=(?:info|warn)\b/.test(line)) return null;
  return BY_WORDS.find(([pattern]) => pattern.test(line))?.[1] ?? null;
}
