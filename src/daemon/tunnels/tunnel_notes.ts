/**
 * What is known of the tunnels of a project, for the next daemon: what is open or stands, and what providers remember.
 * Never a secret: of passwords and links only what they can be checked with.
 *
 * @module
 */

import type { TunnelTraces } from "../../config/edit_tunnel_settings.ts";
import { TUNNEL_BACKENDS, type TunnelBackend } from "../../domain/tunnel.ts";
import type { JsonObject } from "../../kit/json.ts";
import type { AccessRecord } from "../../proxy/public_access.ts";
import type { MetaTable } from "../../store/meta_table.ts";
import { type NotedTunnel, tunnelNoteKey } from "../../store/tunnel_note.ts";

/** One tunnel that is wanted. */
export interface TunnelRecord extends NotedTunnel {
  readonly access: AccessRecord;
  /** Wall milliseconds. */
  readonly openedAt: number | null;
  /** Port of its gate; null = it had none yet. */
  readonly port: number | null;
  /** Name of the environment of the shell that asked. */
  readonly environment: string | null;
  /** The boot of the machine in which it was asked for. */
  readonly bootId: string;
}

/** What `tunnel enable` and `tunnel disable` have to know of each other. */
export interface SetupNote {
  /** What was put into the project's file beside its tasks. */
  readonly traces: TunnelTraces;
  /** Backends that could not be told that nothing is public any more. */
  readonly untold: readonly TunnelBackend[];
}

/** All of a project. */
export interface TunnelNote {
  readonly records: readonly TunnelRecord[];
  /** Backend → what its provider remembers. */
  readonly memory: Readonly<Record<string, JsonObject>>;
  /** Task → the port that its gate had last: whoever leads a name there himself need not do it again. */
  readonly ports: Readonly<Record<string, number>>;
  readonly setup: SetupNote;
}

/** Whether what was brought up is still what is wanted: by the same way, under the same name. */
export function isSameTunnel(
  before: TunnelRecord,
  now: TunnelRecord | null,
): boolean {
  return now !== null && now.backend === before.backend &&
    now.hostname === before.hostname;
}

const NOTHING: TunnelNote = {
  records: [],
  memory: {},
  ports: {},
  setup: { traces: { zoneId: null, madeTable: false }, untold: [] },
};

/** Tasks whose ports are remembered. */
const MAX_PORTS = 100;

/** See the module. */
export class TunnelNotes {
  readonly #meta: MetaTable;
  readonly #key: string;
  #note: TunnelNote;

  constructor(meta: MetaTable, projectId: string) {
    this.#meta = meta;
    this.#key = tunnelNoteKey(projectId);
    this.#note = readNote(meta.get(this.#key));
  }

  get records(): readonly TunnelRecord[] {
    return this.#note.records;
  }

  /** Replaces the record of a task, or adds it; one without a port gets the last one of the task. */
  set(record: TunnelRecord): void {
    const { task } = record;
    const { [task]: last = null, ...ofOthers } = this.#note.ports;
    const port = record.port ?? last;
    const others = this.records.filter((other) => other.task !== task);
    this.#save({
      ...this.#note,
      records: [...others, { ...record, port }],
      ports: port === null
        ? this.#note.ports
        : Object.fromEntries([[task, port], ...Object.entries(ofOthers)]
          .slice(0, MAX_PORTS)),
    });
  }

  /** Changes the record of a task, if there is one. */
  change(task: string, change: Partial<TunnelRecord>): void {
    const record = this.find(task);
    if (record !== null) this.set({ ...record, ...change });
  }

  /** Forgets the record of a task. */
  remove(task: string): void {
    if (this.find(task) === null) return;
    const records = this.records.filter((record) => record.task !== task);
    this.#save({ ...this.#note, records });
  }

  /** The record of a task, or null. */
  find(task: string): TunnelRecord | null {
    return this.records.find((record) => record.task === task) ?? null;
  }

  /** What a provider remembers. */
  memoryOf(backend: TunnelBackend): JsonObject | null {
    return this.#note.memory[backend] ?? null;
  }

  /** Null forgets it. */
  setMemory(backend: TunnelBackend, facts: JsonObject | null): void {
    const { [backend]: _, ...rest } = this.#note.memory;
    const memory = facts === null ? rest : { ...rest, [backend]: facts };
    this.#save({ ...this.#note, memory });
  }

  /** Backends whose providers remember something. */
  get remembered(): readonly TunnelBackend[] {
    return TUNNEL_BACKENDS.filter((each) => this.memoryOf(each) !== null);
  }

  get setup(): SetupNote {
    return this.#note.setup;
  }

  /** Remembers some of it in place of what was. */
  changeSetup(change: Partial<SetupNote>): void {
    this.#save({ ...this.#note, setup: { ...this.setup, ...change } });
  }

  #save(note: TunnelNote): void {
    // First: what could not be stored is closed all the same.
    this.#note = note;
    this.#meta.set(this.#key, JSON.stringify(note));
  }
}

/** Whether any tunnel of a project is wanted. One read by key. */
export function hasTunnelNote(meta: MetaTable, projectId: string): boolean {
  return readNote(meta.get(tunnelNoteKey(projectId))).records.length > 0;
}

/** Forgets what is wanted of a project, which is let go. What providers remember stays: else nobody could clean up there. */
export function forgetTunnels(meta: MetaTable, projectId: string): void {
  const note = readNote(meta.get(tunnelNoteKey(projectId)));
  if (note.records.length === 0) return;
  meta.set(
    tunnelNoteKey(projectId),
    JSON.stringify({ ...note, records: [], ports: {} }),
  );
}

function readNote(text: string | null): TunnelNote {
  if (text === null) return NOTHING;
  return { ...NOTHING, ...JSON.parse(text) as Partial<TunnelNote> };
}
