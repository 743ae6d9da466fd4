import { addObservations, readExpectations } from '../../shared/expectations.ts'
import type { ResponseState } from '../machine/response-state.ts'
import { quiet } from './quiet.ts'
import {
  Crash,
  type Death,
  incidentMessage,
  type Process,
  ResponseWorld,
} from './response-world.ts'
import type { Scene } from './scenes.ts'

/** What became of a response, with the names of its scene taken out. */
export interface Life {
  readonly world: ResponseWorld
  readonly state: ResponseState
  readonly steps: unknown
  /** What was said, each once, in order of the alphabet. */
  readonly told: readonly string[]
  /** How often its process died. */
  readonly crashed: number
  readonly first: Process
  /** The cluster after the acts, and at the end. */
  readonly acted: unknown
  readonly left: unknown
}

/** Leads a response to its end; whoever leads it first dies as told, and others go on. */
export async function liveThrough(scene: Scene, policy: string, death?: Death): Promise<Life> {
  const world = new ResponseWorld(scene.kubes, policy)
  const message = incidentMessage(scene.target, { node: scene.node })
  const first = world.responder(death)
  let crashed = 0
  const guarded = async (run: () => Promise<unknown>) => {
    try {
      await run()
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      crashed += 1
    }
  }
  const next = () => (crashed > 0 ? world.responder() : first).responder
  let ids: readonly string[] = []
  // the bus brings what was not taken again
  for (const _ of [1, 2]) {
    await guarded(async () => {
      ids = await next().onIncident(message)
    })
  }
  const id = ids[0]!
  const plain = (value: unknown) => {
    const text = scene.plain(JSON.stringify(value ?? null))
    return JSON.parse(text.replaceAll(id, 'response').replaceAll(id.slice(0, 12), 'short'))
  }
  let acted: unknown
  const look = async () => {
    acted ??= plain(await scene.shape())
  }
  for (let round = 0; round < 40; round++) {
    world.time += 61
    const [expectation] = await readExpectations(world.shared, 'test', world.time)
    if (expectation !== undefined) {
      await look()
      const { id, from, until } = expectation
      await addObservations(world.shared, new Map([[id, quiet(from, until)]]), world.time)
    }
    await guarded(() => next().sweep())
    const state = await stateOf(world, id)
    if (state?.phase === 'holding') {
      await look()
      world.time += 3600
    }
    if (state?.phase === 'closed' && state.said === state.lines.length) break
  }
  const state = (await stateOf(world, id))!
  // hashes of evidence hold the time at which it was collected
  const told = [...new Set(world.story)]
    .map((text) => plain(text).replace(/last hash is [0-9a-f]{64}/, ''))
    .sort()
  return {
    // whoever began a step is another one after a crash
    steps: plain(
      state.steps.map(({ begun: _, made, ...step }) => {
        return made === undefined ? step : { ...step, made: Object.keys(made) }
      }),
    ),
    ...{ world, state, told, crashed, first, acted },
    left: plain(await scene.shape()),
  }
}

async function stateOf(world: ResponseWorld, id: string): Promise<ResponseState | undefined> {
  const [item] = (await world.store.read([`response/${id}`], 0)).values()
  return item?.value as unknown as ResponseState | undefined
}
