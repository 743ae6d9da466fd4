import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { FrameReader, readHeader } from '#events'
import { judge } from '../../lambdas/evaluate/judge.ts'
import { prepareSet } from '../../lambdas/evaluate/prepare-set.ts'
import { readRecord } from '../../lambdas/evaluate/read-record.ts'
import { libraryArtefact, published, recordOf } from './records.ts'

/** As the first collectors wrote them: when the trace is recorded anew, this one is to be kept beside it. */
const recorded = readFileSync(new URL('../../cli/recorded/attack.trace', import.meta.url))
const recordedSha256 = '4983291aa1a8ffc621596396d1fd4c7205b183b46c639a2c3d6f18fbf122fece'

it('functions of today judge batches of the first collectors, byte for byte as they were', () => {
  expect(createHash('sha256').update(recorded).digest('hex')).toBe(recordedSha256)
  const artefact = libraryArtefact()
  const set = prepareSet(artefact, published(artefact).hash)
  const found = new Map<string, number>()
  let batches = 0
  for (const bytes of new FrameReader().push(recorded)) {
    const read = readRecord(recordOf(bytes, { key: readHeader(bytes).node }))
    if (!('batch' in read)) throw new Error(read.reason)
    batches += 1
    const { grouped, parts } = judge(read, {
      ...{ header: read.batch.header, set, sender: 'verified', evidence: { complete: true } },
      ...{ streamTime: '', evaluateTime: '' },
    })
    for (const { rule } of [...grouped.map(({ detection }) => detection), ...parts]) {
      found.set(rule, (found.get(rule) ?? 0) + 1)
    }
  }
  expect(batches).toBeGreaterThan(0)
  expect([...found.keys()].sort()).toEqual([
    'Container escape by release_agent',
    'Crypto miner',
    'Dropped program executed',
    'Fileless execution',
    'Kernel module loaded',
    'Logs cleared',
    'Ordinary user with strong capabilities',
    'Process injection by ptrace',
    'Sensitive file read',
    'Setuid bit set on a program',
    'Shell in container',
    'Standard streams redirected to a network connection',
    'Unexpected outbound connection',
  ])
})
