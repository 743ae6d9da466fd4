import { expect, it } from 'vitest'
import { makeContainer, makeEvent, makeProcess } from '#testing/events.ts'
import type { BatchesRange } from '../../shared/read-batches.ts'
import { lakeBatch } from '../testing/lake-batch.ts'
import { approver } from '../testing/response-world.ts'
import { Shop } from '../testing/shop.ts'
import { type Manifest, verifyEvidence } from './manifest.ts'

async function acted(shop: Shop) {
  const id = await shop.begin()
  const { planHash } = await shop.read(id)
  expect(await shop.world.responder().responder.approve(id, planHash!, approver)).toBeUndefined()
  const { phase, evidence } = await shop.read(id)
  expect(phase).toBe('verifying')
  const text = Buffer.from(shop.world.evidence.get(evidence!.manifest)!).toString()
  const get = async (key: string) => shop.world.evidence.get(key)
  expect((await verifyEvidence(text, get, evidence!.head)).problems).toEqual([])
  const manifest = JSON.parse(text) as Manifest
  const piece = (name: string) => {
    const key = manifest.entries.find((entry) => entry.name === name)?.key
    return key === undefined ? undefined : shop.world.evidence.get(key)
  }
  return { manifest, piece }
}

it('holds what the collector recorded of the pod, from before it was seen', async () => {
  const shop = new Shop('approve')
  const asked: BatchesRange[] = []
  const process = makeProcess({ container: makeContainer() })
  shop.world.detections = [
    { time: new Date((shop.world.time - 300) * 1000).toISOString() } as never,
  ]
  shop.world.batches = async (range) => {
    asked.push(range)
    const batches = [lakeBatch([makeEvent('getpid', { process })])]
    return { batches, objects: 9, scanned: 1, cut: ['3 of 12 objects'], problems: ['x: SlowDown'] }
  }
  const { manifest, piece } = await acted(shop)
  const seen = (shop.world.time - 300) * 1000
  expect(asked).toEqual([
    {
      ...{ cluster: 'test', node: 'n1', around: seen },
      ...{ from: seen - 600_000, to: shop.world.time * 1000 },
    },
  ])
  expect(piece('recorded.trace')!.length).toBeGreaterThan(100)
  expect(JSON.parse(Buffer.from(piece('recorded.json')!).toString())).toMatchObject({
    ...{ events: 1, cut: ['3 of 12 objects'], problems: ['x: SlowDown'], objects: 9 },
  })
  expect(manifest.missing).toEqual(
    expect.arrayContaining(['recorded.trace: 3 of 12 objects', 'recorded.trace: x: SlowDown']),
  )
})

it('is collected, and people are told what lacks, when the lake cannot be read', async () => {
  const shop = new Shop('approve')
  shop.world.batches = () => Promise.reject(new Error('SlowDown'))
  const { manifest, piece } = await acted(shop)
  expect(piece('pod.json')).toBeDefined()
  expect(piece('recorded.trace')).toBeUndefined()
  expect(manifest.missing).toContain('recorded.trace: SlowDown')
  expect(shop.world.story.join('\n')).toContain('recorded.trace: SlowDown')
})

it('does without detections when those are damaged, and takes the events all the same', async () => {
  const shop = new Shop('approve')
  const { world } = shop
  Object.defineProperty(world, 'detections', {
    get: () => {
      throw new Error('incorrect header check')
    },
  })
  const process = makeProcess({ container: makeContainer() })
  const batches = [lakeBatch([makeEvent('getpid', { process })])]
  world.batches = async () => ({ batches, objects: 1, scanned: 1, cut: [], problems: [] })
  const { manifest, piece } = await acted(shop)
  expect(manifest.missing).toContain('detections.ndjson: incorrect header check')
  expect(piece('recorded.trace')).toBeDefined()
})
