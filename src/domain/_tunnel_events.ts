/**
 * The part of the catalogue of events that is about public names.
 *
 * @module
 */

const BACKEND = {
  type: "string",
  meaning: "such as `cloudflare-quick`",
};

const PUBLIC_URL = {
  type: "string or null",
  meaning: "the public address",
};

/** See the module. */
export const TUNNEL_EVENTS = {
  tunnel_opened: {
    severity: "warning",
    subject: "task",
    when:
      "A task can be reached from outside this machine from now on, or by others than before: by everybody, by password, by link",
    facts: {
      backend: BACKEND,
      public_url: PUBLIC_URL,
      access: {
        type: "string",
        meaning: "who is let in: `open` = everybody, `basic`, `link`",
      },
      expires_at: {
        type: "number",
        meaning: "Unix time in seconds at which it is closed",
        isOptional: true,
      },
    },
  },
  tunnel_failed: {
    severity: "error",
    subject: "task",
    when:
      "A tunnel that was open does not work: its provider refuses, or its program is down. It is tried again",
    facts: {
      backend: BACKEND,
      public_url: PUBLIC_URL,
      reason: { type: "string", meaning: "what is wrong" },
    },
  },
  tunnel_recovered: {
    severity: "info",
    subject: "task",
    when: "A tunnel works again, perhaps at another address",
    facts: { backend: BACKEND, public_url: PUBLIC_URL },
  },
  tunnel_closed: {
    severity: "info",
    subject: "task",
    when: "A task cannot be reached from outside any more",
    facts: {
      backend: BACKEND,
      public_url: PUBLIC_URL,
      reason: {
        type: "string",
        meaning:
          "`down`, `expired`, `task_stopped`, `task_removed`, `process_stopped`, `config_changed`, `daemon_stopped`, `disabled` or `failed`",
      },
    },
  },
} as const;
