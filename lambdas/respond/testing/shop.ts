import { expect } from 'vitest'
import { addObservations, type Observation, readExpectations } from '../../shared/expectations.ts'
import type { KubeRequest } from '../kubernetes/kube.ts'
import type { ResponseState } from '../machine/response-state.ts'
import { FakeKube } from './fake-kube.ts'
import { FaultyKube } from './faulty-kube.ts'
import { quiet } from './quiet.ts'
import { incidentMessage, isChange, policyText, ResponseWorld } from './response-world.ts'

export const hour = 3600

/** Where a pod of the shop lies. */
export const podAt = (name = 'web') => `/api/v1/namespaces/shop/pods/${name}`

/** A pod of the shop, ready, with a secret in its environment. */
export const pod = (name: string, more: object = {}) => ({
  metadata: { name, namespace: 'shop', labels: { app: 'web' }, ...more },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'web',
    containers: [{ name: 'app', env: [{ name: 'PASSWORD', value: 'hunter2' }] }],
  },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'app', containerID: 'containerd://0123456789abcdef' }],
  },
})

/** A cluster in memory with two nodes, a service and one pod behind it, and the policy of tests. */
export class Shop {
  readonly kube = new FakeKube()
  readonly faulty = new FaultyKube(this.kube)
  readonly world: ResponseWorld
  readonly uid: string

  /** `mode`: of all rules, none for the default; `more`: further items of the policy. */
  constructor(mode: string, more = '') {
    this.kube.put('/api/v1/namespaces/shop', { metadata: { name: 'shop' } })
    for (const name of ['n1', 'n2']) {
      this.kube.put(`/api/v1/nodes/${name}`, {
        metadata: { name },
        spec: {},
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      })
    }
    this.kube.put('/api/v1/namespaces/shop/services/web', {
      metadata: { name: 'web', namespace: 'shop' },
      spec: { selector: { app: 'web' } },
    })
    this.uid = this.kube.put(podAt(), pod('web'))
    const modes = mode === '' ? '' : `- {mode: ${mode}}\n`
    this.world = new ResponseWorld(this.faulty, `${policyText}${modes}${more}`)
  }

  message(more: Parameters<typeof incidentMessage>[1] = {}) {
    return incidentMessage({ name: 'web', namespace: 'shop', uid: this.uid }, more)
  }

  /** Labels of the pod now. */
  labels(): unknown {
    return this.kube.objects.get(podAt())?.metadata['labels']
  }

  /** An incident about the pod; gives the id of what answers it. */
  async begin(more: Parameters<typeof incidentMessage>[1] = {}): Promise<string> {
    const { responder } = this.world.responder()
    const [id] = await responder.onIncident(this.message(more))
    return id!
  }

  async read(id: string): Promise<ResponseState> {
    return (await this.world.responder().responder.read(id)) as ResponseState
  }

  /** Lets time go by, then leads what is due. */
  async pass(seconds: number): Promise<void> {
    this.world.time += seconds
    await this.world.responder().responder.sweep()
  }

  /** Calls that changed something. */
  writes(): KubeRequest[] {
    return this.kube.requests.filter(isChange)
  }

  /** What the node tells of the pod for all of the window, quiet unless told otherwise. */
  async observe(more: Partial<Observation> = {}): Promise<void> {
    const { world } = this
    const [expectation] = await readExpectations(world.shared, 'test', world.time)
    const { id, from, until } = expectation!
    const told = { ...quiet(from, until + 1000), ...more }
    await addObservations(world.shared, new Map([[id, told]]), world.time)
  }

  untouched(): void {
    expect(this.writes()).toEqual([])
    expect(this.labels()).toEqual({ app: 'web' })
  }
}
