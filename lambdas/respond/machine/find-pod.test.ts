import { beforeEach, describe, expect, it } from 'vitest'
import type { IncidentMessage } from '../../shared/bus-messages.ts'
import { Unanswered } from '../kubernetes/kube.ts'
import { podAt, Shop } from '../testing/shop.ts'

const id = '0123456789ab'
let shop: Shop
beforeEach(() => {
  shop = new Shop('approve')
})

type Incident = IncidentMessage['incident']

/** An incident that knows a container, and no pod unless told. */
function message(more: Partial<Incident> = {}): IncidentMessage {
  const whole = shop.message()
  const { pod: _, ...incident } = whole.incident
  return { ...whole, incident: { ...incident, container: { id }, ...more } }
}
const answer = async (given: IncidentMessage) => {
  const { responder } = shop.world.responder()
  const [first] = await responder.onIncident(given)
  return first === undefined ? undefined : shop.read(first)
}
/** Another pod with that container, as far as its status says. */
const twin = (name: string, status: object, node = 'n1') =>
  shop.kube.put(podAt(name), {
    ...{ metadata: { name, namespace: 'shop' }, spec: { nodeName: node }, status },
  })
const container = (containerID: string) => [{ name: 'app', containerID }]

describe('an incident without the uid of a pod', () => {
  it('is answered for the one pod of its node that has its container, as if it had been named', async () => {
    const state = await answer(message())
    expect(state).toMatchObject({
      ...{ phase: 'awaiting', target: { namespace: 'shop', name: 'web', uid: shop.uid } },
    })
    // once, although the uid is known later
    const { responder } = shop.world.responder()
    expect(await responder.onIncident(shop.message())).toEqual([state!.id])
    expect(
      await responder.onIncident(message({ pod: { namespace: 'shop', name: 'web' } })),
    ).toEqual([state!.id])
    expect(shop.world.messages.filter(({ approve }) => approve !== undefined)).toHaveLength(1)
  })

  it('finds it by containers that begin, come later, or were started again', async () => {
    for (const status of [
      { initContainerStatuses: container('cri-o://feedfeedfeed0') },
      { ephemeralContainerStatuses: container('containerd://feedfeedfeed0') },
      {
        containerStatuses: [
          {
            ...container('containerd://aaaaaaaaaaaa')[0],
            lastState: { terminated: { containerID: 'containerd://feedfeedfeed0' } },
          },
        ],
      },
    ]) {
      shop = new Shop('')
      const uid = twin('other', status)
      const state = await answer(message({ container: { id: 'feedfeedfeed' } }))
      expect(state!.target.uid).toBe(uid)
    }
  })

  it.each<[string, Partial<Incident>, string]>([
    ['in no container', { container: undefined as never }, 'it happened in no container'],
    ['with another node', { node: 'n2' }, 'no pod of n2 has the container'],
    ['of no node', { node: '' }, 'nobody knows on which node'],
    ['of a hostile node', { node: 'n1,metadata.name=web' }, 'nobody knows on which node'],
    ['of an unknown container', { container: { id: 'aaaaaaaaaaaa' } }, 'no pod of n1 has'],
    ['of a hostile container', { container: { id: '' } }, 'has no id of a runtime'],
    ['of a short id', { container: { id: '0123' } }, 'has no id of a runtime'],
    ['of a cluster that nobody knows', { cluster: 'nowhere' }, 'nobody knows the cluster nowhere'],
    [
      'that names another pod',
      { pod: { namespace: 'shop', name: 'db' } },
      'belongs to shop/web, not to shop/db',
    ],
  ])('%s is said to have none, once', async (_, more, why) => {
    const state = await answer(message(more))
    expect(state).toMatchObject({ phase: 'closed', ending: 'observed', mode: 'observe', plans: 0 })
    expect(state!.target.uid).toBe('')
    await answer(message(more))
    await shop.pass(120)
    expect(shop.world.story).toEqual([
      expect.stringContaining(`Response Planned: no pod, nothing is planned: `),
    ])
    expect(shop.world.story[0]).toContain(why)
    shop.untouched()
  })

  it('is none of two pods that have its container', async () => {
    twin('twin', { containerStatuses: container(`containerd://${id}ffff`) })
    expect((await answer(message()))!.lines[0]!.text).toContain('2 pods of n1 have the container')
  })

  it('takes no pod of another node for its own, whatever the API server lists', async () => {
    twin('elsewhere', { containerStatuses: container(`containerd://${id}ffff`) }, 'n2')
    expect((await answer(message()))!.target.uid).toBe(shop.uid)
  })

  it('is tried again while the API server does not answer, and said when it may not be asked', async () => {
    const all = shop.world.kubesOf
    shop.world.kubesOf = async () => ({ send: () => Promise.reject(new Unanswered('no answer')) })
    await expect(answer(message())).rejects.toThrow(Unanswered)
    expect(shop.world.said).toEqual([])
    shop.world.kubesOf = async () => ({
      send: async () => ({ status: 403, body: { message: 'pods is forbidden' } }),
    })
    expect((await answer(message()))!.lines[0]!.text).toContain('cannot be read')
    shop.world.kubesOf = all
    expect((await answer(message()))!.phase).toBe('awaiting')
  })

  it('only is planned for when it is not proven which node tells of it', async () => {
    const state = await answer(message({ sender: 'unverified' }))
    expect(state).toMatchObject({ ending: 'observed', mode: 'observe', target: { uid: shop.uid } })
  })

  it('is not looked for when nothing answers it', async () => {
    const quiet = [
      message({ state: 'closed' }),
      message({ suppressed: { id: 'x' } as never }),
      { ...message(), detection: { ...message().detection!, rule: 'Other' } },
    ]
    for (const each of quiet) expect(await answer(each)).toBeUndefined()
    expect(shop.kube.requests).toEqual([])
    shop = new Shop('off')
    expect(await answer(message())).toBeUndefined()
  })
})
