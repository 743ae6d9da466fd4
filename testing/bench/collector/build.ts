import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spread, type Table } from '../figures.ts'
import { sleep } from '../watch.ts'
import type { Effort } from './effort.ts'
import { BenchNode, ruleSets } from './node.ts'

const files = 240
const goal = 1.02

interface Built {
  readonly wall: number
  /** Seconds of CPU of make and everything below it, in the kernel, too. */
  readonly cpu: number
}

/** A build of many small C files with and without the collector. */
export async function build(effort: Effort): Promise<Table[]> {
  const directory = mkdtempSync(join(tmpdir(), 'lanner-bench-build-'))
  try {
    writeProject(directory)
    await make(directory) // the compiler comes from the disk once
    return [await measure(directory, effort)]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(directory: string, { rounds }: Effort): Promise<Table> {
  const variants = ['nothing, again', ...ruleSets().map(({ name }) => name)]
  const figures = variants.map(() => ({ wall: [] as number[], cpu: [] as number[] }))
  for (let round = 0; round < rounds; round++) {
    let before = await make(directory)
    for (const [at, { wall, cpu }] of figures.entries()) {
      const between = await (at === 0 ? make(directory) : watched(directory, at - 1))
      const after = await make(directory)
      // a machine that gets faster or slower does so for both
      wall.push((2 * between.wall) / (before.wall + after.wall))
      cpu.push((2 * between.cpu) / (before.cpu + after.cpu))
      before = after
    }
  }
  return {
    title: `A build of ${files} C files, one after the other`,
    note: `\`make -j1\`, gcc -O0; ${rounds} rounds; ratios to the mean of the builds just before and after with nothing running. "nothing, again" is the noise. Goal: ≤ ${goal}.`,
    columns: ['collector with rules', 'wall-clock ratio', 'CPU ratio of the build'],
    rows: variants.map((name, i) => [
      name,
      spread(figures[i]!.wall, 3),
      spread(figures[i]!.cpu, 3),
    ]),
  }
}

async function watched(directory: string, at: number): Promise<Built> {
  const node = await BenchNode.start(ruleSets()[at]!)
  try {
    await node.settle()
    await sleep(1000)
    return await make(directory)
  } finally {
    await node.stop()
  }
}

const run = promisify(execFile)

/** Builds everything anew. */
async function make(directory: string): Promise<Built> {
  await run('make', ['-s', '-C', directory, 'clean'])
  const timed = 'TIMEFORMAT="%R %U %S"; time make -s -j1 -C "$0" all'
  const { stderr } = await run('bash', ['-c', timed, directory], {
    env: { ...process.env, LC_ALL: 'C' },
  })
  const [wall, user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number)
  return { wall: wall!, cpu: user! + system! }
}

/** The same text each time: nothing here depends on chance or on the clock. */
function writeProject(directory: string): void {
  const names = Array.from({ length: files }, (_, i) => `unit${i}`)
  for (const [i, name] of names.entries()) {
    const functions = Array.from(
      { length: 3 + (i % 5) },
      (_, j) =>
        `int ${name}_${j}(int x)\n{\n\treturn x * ${i + 1} + ${j} + ${name.length} + (x > ${j} ? (int)strlen(name) : 0);\n}\n`,
    )
    writeFileSync(
      join(directory, `${name}.c`),
      `#include <string.h>\n#include "project.h"\nstatic const char name[] = "${name}";\n${functions.join('')}`,
    )
  }
  const declarations = names.map((name) => `int ${name}_0(int x);\n`).join('')
  writeFileSync(join(directory, 'project.h'), `#pragma once\n${declarations}`)
  writeFileSync(
    join(directory, 'Makefile'),
    `objects := ${names.map((name) => `${name}.o`).join(' ')}\nall: $(objects)\n%.o: %.c project.h\n\tgcc -O0 -c $< -o $@\nclean:\n\trm -f *.o\n`,
  )
}
