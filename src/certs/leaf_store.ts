/**
 * The certificates of the projects: one for each, with a wildcard, and one for each name that is deeper than that.
 *
 * @module
 */

import {
  APEX,
  CATCH_ALL,
  fullHostName,
  type HostName,
} from "../domain/host_name.ts";
import type { Authority, IssuedCertificate, LeafNames } from "./authority.ts";
import { conditionOf, isValidAt, type Leaf, readLeaf } from "./leaf.ts";
import {
  type LeafFiles,
  leafFiles,
  readLeafFolder,
  removeLeafFolder,
  writeLeafFolder,
} from "./leaf_folder.ts";

/** Deeper names of one project that have a certificate at the same time. */
const DEEP_NAMES_MAX = 64;

/** Certificates for deeper names of one project: so many at once, and then one more each second. */
const DEEP_BURST = 64;
const DEEP_REFILL_MS = 1_000;

/** Pause after a renewal that failed. */
const RETRY_MS = 60_000;

/** Name of the folder for this machine itself; no project can have it. */
const MACHINE_FOLDER = ".machine";

const MACHINE: LeafNames = {
  label: "this machine",
  dns: ["localhost"],
  addresses: ["127.0.0.1", "::1"],
};

/** What a store works with. */
export interface LeafStoreOptions {
  /** Folder of the folders of certificates. */
  readonly folder: string;
  readonly tld: string;
  /** The authority as it is now; asked for at each use. Rejects with E710. */
  authority(): Promise<Authority>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Gets sentences on what went wrong without keeping anybody from a certificate. */
  onWarning(message: string): void;
}

/** A certificate that was signed because somebody asked for it. */
export interface MintedLeaf extends LeafFiles {
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** One certificate and what becomes of it. */
interface Slot {
  readonly names: LeafNames;
  /** Where it is kept; null = only in memory. */
  readonly folder: string | null;
  leaf: Leaf | null;
  /** The next one, on its way. */
  next: Promise<Leaf> | null;
  retryAt: number;
}

/** The deeper names of one project, those used longest ago first. */
interface DeepNames {
  readonly slots: Map<string, Slot>;
  /** How many may be signed now, at the time that follows. */
  tokens: number;
  at: number;
}

/**
 * Certificates by what they are for. Signed when first asked for, once however many ask; kept on disk, so that the next
 * daemon serves the same; renewed at use, behind the back of whoever asks as long as the old one will do.
 */
export class LeafStore {
  readonly #options: LeafStoreOptions;
  readonly #machine: Slot;
  readonly #projects = new Map<string, Slot>();
  readonly #deep = new Map<string, DeepNames>();
  /** Reading, writing and removing take turns. */
  #disk: Promise<unknown> = Promise.resolve();

  constructor(options: LeafStoreOptions) {
    this.#options = options;
    this.#machine = slot(MACHINE, `${options.folder}/${MACHINE_FOLDER}`);
  }

  /**
   * The certificate for a name; null = for this machine itself. The same object while it is the same certificate. A
   * deeper name beyond what one project may have gets the certificate of the project.
   *
   * @throws {TaskmuxError} E710 if there is neither a certificate nor an authority to sign one.
   */
  async certificateFor(name: HostName | null): Promise<IssuedCertificate> {
    return await this.#use(this.#slotFor(name));
  }

  /**
   * Signs a new certificate for a project, which is served from now on.
   *
   * @throws {TaskmuxError} E710 if there is no authority. @throws what a disk says that cannot be written.
   */
  async mint(projectId: string): Promise<MintedLeaf> {
    const slot = this.#projectSlot(projectId);
    const authority = await this.#options.authority();
    while (slot.next !== null) await slot.next.catch(() => undefined);
    const leaf = await this.#obtain(slot, authority, { isKeptFine: false });
    // Again, because whoever only wants to connect does not mind that it could not be kept.
    await this.#save(slot, leaf);
    return {
      ...leafFiles(this.folderOf(projectId)),
      names: slot.names.dns,
      notAfter: leaf.notAfter,
    };
  }

  /** Drops the certificates of a project, and deletes its folder. The next that asks gets a new one. */
  async forget(projectId: string): Promise<void> {
    this.#projects.delete(projectId);
    this.#deep.delete(projectId);
    await this.#inTurn(() => removeLeafFolder(this.folderOf(projectId)));
  }

  /** Where the certificate of a project is. */
  folderOf(projectId: string): string {
    return `${this.#options.folder}/${projectId}`;
  }

  async #use(slot: Slot): Promise<Leaf> {
    const now = this.#options.now();
    let authority: Authority;
    try {
      authority = await this.#options.authority();
    } catch (error) {
      if (slot.leaf !== null && isValidAt(slot.leaf, now)) return slot.leaf;
      throw error;
    }
    // Only now: it may have been renewed meanwhile.
    const { leaf } = slot;
    const condition = leaf === null ? "bad" : conditionOf(leaf, authority, now);
    if (leaf === null || condition === "bad") {
      const isKeptFine = leaf === null;
      return await this.#obtain(slot, authority, { isKeptFine });
    }
    if (condition === "due" && now >= slot.retryAt) {
      this.#obtain(slot, authority, { isKeptFine: false }).catch((error) => {
        slot.retryAt = now + RETRY_MS;
        this.#options.onWarning(
          `the certificate of ${slot.names.label} cannot be renewed: ${error}`,
        );
      });
    }
    return leaf;
  }

  /** The certificate that follows; one, however many want it. */
  #obtain(
    slot: Slot,
    authority: Authority,
    { isKeptFine }: { readonly isKeptFine: boolean },
  ): Promise<Leaf> {
    const next = async (): Promise<Leaf> =>
      (isKeptFine ? await this.#kept(slot, authority) : null) ??
        await this.#next(slot, authority);
    slot.next ??= next().then((leaf) => {
      slot.leaf = leaf;
      return leaf;
    }).finally(() => {
      slot.next = null;
    });
    return slot.next;
  }

  async #next(slot: Slot, authority: Authority): Promise<Leaf> {
    const leaf = await this.#issue(slot, authority);
    try {
      await this.#save(slot, leaf);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#options.onWarning(
        `the certificate of ${slot.names.label} cannot be kept: ${error.message}`,
      );
    }
    return leaf;
  }

  /** What an earlier daemon left, if it will do. */
  async #kept(
    { folder, names }: Slot,
    authority: Authority,
  ): Promise<Leaf | null> {
    if (folder === null) return null;
    const { now, onWarning } = this.#options;
    const pair = await this.#inTurn(() => readLeafFolder(folder, onWarning))
      .catch((error) => {
        onWarning(`the certificate in "${folder}" cannot be read: ${error}`);
        return null;
      });
    const leaf = pair === null ? null : readLeaf(pair, names, authority);
    return leaf === null || conditionOf(leaf, authority, now()) === "bad"
      ? null
      : leaf;
  }

  async #issue({ names }: Slot, authority: Authority): Promise<Leaf> {
    const pair = await authority.issue(names, this.#options.now());
    const leaf = readLeaf(pair, names, authority);
    if (leaf !== null) return leaf;
    throw new Error(`Cannot use the certificate just signed: ${names.label}`);
  }

  async #save(slot: Slot, leaf: Leaf): Promise<void> {
    const { folder } = slot;
    if (folder === null) return;
    const { now, onWarning } = this.#options;
    await this.#inTurn(async () => {
      // The project may have been forgotten meanwhile.
      const isCurrent = slot === this.#machine ||
        this.#projects.get(slot.names.label) === slot;
      if (!isCurrent) return;
      await writeLeafFolder(folder, leaf, { now: now(), warn: onWarning });
    });
  }

  #slotFor(name: HostName | null): Slot {
    if (name === null) return this.#machine;
    const { projectId, host } = name;
    if (!host.includes(".")) return this.#projectSlot(projectId);
    return this.#deepSlot(name) ?? this.#projectSlot(projectId);
  }

  #projectSlot(projectId: string): Slot {
    const known = this.#projects.get(projectId);
    if (known !== undefined) return known;
    const dns = [APEX, CATCH_ALL].map((host) => this.#full(projectId, host));
    const names = { label: projectId, dns, addresses: [] };
    const made = slot(names, this.folderOf(projectId));
    this.#projects.set(projectId, made);
    return made;
  }

  /** Null if the project has had too many of late. */
  #deepSlot({ projectId, host }: HostName): Slot | null {
    const now = this.#options.now();
    const deep = this.#deep.get(projectId) ??
      { slots: new Map<string, Slot>(), tokens: DEEP_BURST, at: now };
    this.#deep.set(projectId, deep);
    const known = deep.slots.get(host);
    if (known !== undefined) {
      deep.slots.delete(host);
      deep.slots.set(host, known);
      return known;
    }
    // A clock that was turned back gives nothing, and takes nothing.
    const refill = Math.max(0, now - deep.at) / DEEP_REFILL_MS;
    deep.tokens = Math.min(DEEP_BURST, deep.tokens + refill);
    deep.at = now;
    if (deep.tokens < 1) return null;
    deep.tokens--;
    const [oldest] = deep.slots.keys();
    if (deep.slots.size >= DEEP_NAMES_MAX) deep.slots.delete(oldest!);
    const dns = [this.#full(projectId, host)];
    const made = slot({ label: projectId, dns, addresses: [] }, null);
    deep.slots.set(host, made);
    return made;
  }

  #full(projectId: string, host: string): string {
    return fullHostName({ projectId, host }, this.#options.tld);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#disk.then(work);
    this.#disk = turn.catch(() => undefined);
    return await turn;
  }
}

function slot(names: LeafNames, folder: string | null): Slot {
  return { names, folder, leaf: null, next: null, retryAt: 0 };
}
