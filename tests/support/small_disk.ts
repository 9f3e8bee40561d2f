/**
 * A state folder on a disk of its own that a test can fill. Needs the right to mount one.
 *
 * @module
 */

import { until } from "./until.ts";
import assert from "node:assert/strict";
import { type Taskmux, testTaskmux } from "./taskmux.ts";

const FILL_BYTES = 64 * 1024;

/** How large a disk is. */
export interface DiskSize {
  readonly megabytes: number;
  /** Files and folders it can hold; as many as you like if absent. */
  readonly inodes?: number;
}

/** A small file system in a folder. Disposal unmounts it. */
export class SmallDisk implements AsyncDisposable {
  readonly folder: string;
  readonly #fillers: string[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes one in a folder, which is created. */
  static async at(folder: string, size: DiskSize): Promise<SmallDisk> {
    await Deno.mkdir(folder, { recursive: true });
    const { megabytes, inodes } = size;
    const limit = inodes === undefined ? "" : `,nr_inodes=${inodes}`;
    const options = `size=${megabytes}m,mode=700${limit}`;
    const disk = new SmallDisk(folder);
    assert(await run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder));
    return disk;
  }

  /** Takes that many megabytes. */
  async take(megabytes: number): Promise<void> {
    const path = this.#filler();
    await Deno.writeFile(path, new Uint8Array(megabytes * 1024 * 1024));
  }

  /** Takes every byte. */
  async fill(): Promise<void> {
    using file = await Deno.open(this.#filler(), {
      create: true,
      append: true,
    });
    for (let size = FILL_BYTES; size > 0;) {
      try {
        await file.write(new Uint8Array(size));
      } catch (error) {
        if (!isFull(error)) throw error;
        size = Math.floor(size / 2);
      }
    }
  }

  /** Takes every name. */
  async fillNames(): Promise<void> {
    try {
      while (true) (await Deno.create(this.#filler())).close();
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#fillers.pop();
    }
  }

  /** Gives back what was taken. */
  async empty(): Promise<void> {
    for (const path of this.#fillers.splice(0)) await Deno.remove(path);
  }

  /** From now on nothing can be written. Waits for processes that end to let go of their files. */
  async makeReadOnly(): Promise<void> {
    await until(() => run("mount", "-o", "remount,ro", this.folder));
  }

  /** Takes {@linkcode makeReadOnly} back. */
  async makeWritable(): Promise<void> {
    assert(await run("mount", "-o", "remount,rw", this.folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", "-l", this.folder);
  }

  #filler(): string {
    const path = `${this.folder}/fill-${this.#fillers.length}`;
    this.#fillers.push(path);
    return path;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && /No space left/.test(error.message);
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, {
    args,
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = await Deno.makeTempDir({ prefix: "tmx-mount-" });
  try {
    await using _ = await SmallDisk.at(folder, { megabytes: 1 });
    return true;
  } catch {
    return false;
  } finally {
    await Deno.remove(folder);
  }
}

/** Whether tests with a disk of their own can run. */
export const CAN_MOUNT = await canMount();

/** A test with a disk as state folder; where that cannot be had it says so. */
export function diskTest(
  name: string,
  size: DiskSize,
  body: (taskmux: Taskmux, disk: SmallDisk) => Promise<void>,
): void {
  if (!CAN_MOUNT) {
    console.warn(`NOT TESTED: ${name}, because mounting needs root on Linux`);
  }
  Deno.test({
    name,
    ignore: !CAN_MOUNT,
    fn: async () => {
      await using taskmux = await testTaskmux({ hostConfig: null });
      const { home } = taskmux.home;
      await using disk = await SmallDisk.at(home, size);
      await Deno.writeTextFile(`${home}/config.toml`, "api_port = 0\n");
      try {
        await body(taskmux, disk);
      } catch (error) {
        // What disposal finds afterwards would hide it.
        console.error(error);
        throw error;
      } finally {
        // Before its disk goes.
        await taskmux.run(["daemon", "stop"]);
      }
    },
  });
}
