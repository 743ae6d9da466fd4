import { beforeEach, describe, expect, it } from 'vitest'
import { fieldManager } from '../actions/marks.ts'
import { type Kube, type KubeReply, readList, readObject, saysGone } from '../kubernetes/kube.ts'

type Fields = Readonly<Record<string, unknown>>

/** A cluster, as responses see it and as others see it. */
export interface Place {
  readonly kube: Kube
  /** A namespace that nobody else uses. */
  readonly namespace: string
  /** Makes an object, or makes it this, as somebody else. */
  apply(object: Fields): Promise<void>
  /** Sets the status of an object, as its controller does. */
  setStatus(path: string, status: Fields): Promise<void>
}

interface Read {
  readonly metadata: {
    readonly uid: string
    readonly resourceVersion: string
    readonly labels?: Fields
    readonly annotations?: Fields
    readonly deletionTimestamp?: string
    readonly deletionGracePeriodSeconds?: number
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[]
  }
  readonly spec: Fields
}

const merge = 'application/merge-patch+json'
const ssa = 'application/apply-patch+yaml'

/** What responses rely on, of every API server: the real one, and the one in memory that stands for it. */
export function kubeContract(name: string, place: () => Promise<Place>): void {
  describe(name, () => {
    let at: Place
    let base: string
    let pod: string
    let policy: string
    beforeEach(async () => {
      at = await place()
      base = `/api/v1/namespaces/${at.namespace}`
      pod = `${base}/pods/web`
      policy = `/apis/networking.k8s.io/v1/namespaces/${at.namespace}/networkpolicies/cut`
      await at.apply(podNamed('web'))
      await at.setStatus(pod, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })
    })
    const podNamed = (name: string, more: object = {}) => ({
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { name, namespace: at.namespace, labels: { app: 'web', tier: 'front' } },
      spec: { nodeName: 'n1', containers: [{ name: 'app', image: 'example.org/app:1' }], ...more },
    })
    const policyWith = (more: object = {}) => ({
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      metadata: { name: 'cut', namespace: at.namespace, labels: { ours: 'yes' } },
      spec: {
        podSelector: { matchLabels: { cut: 'off' } },
        policyTypes: ['Ingress', 'Egress'],
        ...more,
      },
    })
    const read = async (path: string) => (await readObject<Read>(at.kube, path))!
    const version = async (path: string) => (await read(path)).metadata.resourceVersion
    const patch = (path: string, body: unknown, query?: Record<string, string>) =>
      at.kube.send({
        ...{ method: 'PATCH', path, body, contentType: merge, ...(query && { query }) },
      })
    const apply = (path: string, body: unknown, query: Record<string, string> = {}) =>
      at.kube.send({
        ...{ method: 'PATCH', path, body, contentType: ssa },
        query: { fieldManager, force: 'false', ...query },
      })
    const remove = (path: string, preconditions?: object, more: object = {}) =>
      at.kube.send({
        ...{ method: 'DELETE', path },
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          ...(preconditions && { preconditions }),
          ...more,
        },
      })
    const evict = (deleteOptions: object, name = 'web') =>
      at.kube.send({
        method: 'POST',
        path: `${base}/pods/${name}/eviction`,
        body: {
          ...{ apiVersion: 'policy/v1', kind: 'Eviction' },
          metadata: { name, namespace: at.namespace },
          deleteOptions,
        },
      })
    const budget = async (disruptionsAllowed: number, name = 'b') => {
      const apiVersion = 'policy/v1'
      const kind = 'PodDisruptionBudget'
      const spec = { minAvailable: 1, selector: { matchLabels: { app: 'web' } } }
      await at.apply({ apiVersion, kind, metadata: { name, namespace: at.namespace }, spec })
      const path = `/apis/policy/v1/namespaces/${at.namespace}/poddisruptionbudgets/${name}`
      await at.setStatus(path, {
        ...{ observedGeneration: 1, disruptionsAllowed, currentHealthy: 2, desiredHealthy: 1 },
        expectedPods: 2,
      })
      return path
    }
    const told = ({ status, body, retryAfter }: KubeReply) => {
      const { kind, reason, code, details } = body as Fields & { details?: { causes?: Fields[] } }
      const causes = details?.causes?.map(({ reason, field }) => field ?? reason)
      return {
        ...{ status, kind, reason, code },
        ...(causes !== undefined && { causes: [...new Set(causes)] }),
        ...(retryAfter !== undefined && { retryAfter }),
      }
    }
    const no = (status: number, reason: string, more: object = {}) => {
      return { status, kind: 'Status', reason, code: status, ...more }
    }

    describe('reading', () => {
      it('gives an object with its uid and version, and 404 for none', async () => {
        const { metadata, spec } = await read(pod)
        expect(metadata).toMatchObject({ uid: expect.any(String), labels: { app: 'web' } })
        expect(metadata.resourceVersion).toMatch(/^\d+$/)
        expect(spec).toMatchObject({ nodeName: 'n1' })
        const reply = await at.kube.send({ method: 'GET', path: `${pod}2` })
        expect(told(reply)).toEqual(no(404, 'NotFound'))
      })

      it('lists page by page, an empty list for none, and 404 for a kind that is not there', async () => {
        for (const n of [1, 2, 3]) await at.apply(podNamed(`p${n}`))
        const path = `${base}/pods`
        const first = await at.kube.send({ method: 'GET', path, query: { limit: '3' } })
        const { items, metadata } = first.body as { items: Read[]; metadata: { continue: string } }
        expect(items).toHaveLength(3)
        const query = { limit: '3', continue: metadata.continue }
        const second = await at.kube.send({ method: 'GET', path, query })
        expect(second.body).toMatchObject({ items: [{ metadata: { name: 'web' } }] })
        expect(
          (second.body as typeof first.body & { metadata: object }).metadata,
        ).not.toHaveProperty('continue')
        expect(await readList(at.kube, `${base}/services`)).toEqual([])
        expect(await readList(at.kube, '/apis/example.org/v1/nothings')).toBeUndefined()
      })

      it('lists the pods of a node in all namespaces', async () => {
        const query = { fieldSelector: 'spec.nodeName=n1' }
        const pods = await readList<Read>(at.kube, '/api/v1/pods', query)
        const { metadata } = await read(pod)
        expect(pods?.map((each) => each.metadata.uid)).toContain(metadata.uid)
        const none = { fieldSelector: 'spec.nodeName=no-such-node' }
        expect(await readList(at.kube, '/api/v1/pods', none)).toEqual([])
      })

      it('selects events by the uid that they are about', async () => {
        for (const uid of ['one', 'two']) {
          await at.apply({
            ...{
              apiVersion: 'v1',
              kind: 'Event',
              metadata: { name: uid, namespace: at.namespace },
            },
            involvedObject: { kind: 'Pod', name: 'web', namespace: at.namespace, uid },
          })
        }
        const query = { fieldSelector: 'involvedObject.uid=two' }
        expect(await readList(at.kube, `${base}/events`, query)).toMatchObject([
          { involvedObject: { uid: 'two' } },
        ])
      })
    })

    describe('a merge patch', () => {
      it('sets, and takes away with null; what changes nothing makes no version', async () => {
        const before = await version(pod)
        const body = { metadata: { labels: { x: '1', tier: null }, annotations: { note: 'n' } } }
        expect((await patch(pod, body)).status).toBe(200)
        const after = await read(pod)
        expect(after.metadata.labels).toEqual({ app: 'web', x: '1' })
        expect(after.metadata.annotations).toEqual({ note: 'n' })
        expect(after.metadata.resourceVersion).not.toBe(before)
        expect((await patch(pod, body)).status).toBe(200)
        expect(await version(pod)).toBe(after.metadata.resourceVersion)
      })

      it('leaves no empty maps behind', async () => {
        const body = { metadata: { labels: { app: null, tier: null } } }
        const { body: patched } = await patch(pod, body)
        expect((patched as Read).metadata).not.toHaveProperty('labels')
        expect((await read(pod)).metadata).not.toHaveProperty('labels')
      })

      it('of another uid is refused as a change of the uid, and says gone', async () => {
        const reply = await patch(pod, { metadata: { uid: 'other', labels: { x: '1' } } })
        expect(told(reply)).toEqual(no(422, 'Invalid', { causes: ['metadata.uid'] }))
        expect(saysGone(reply)).toBe(true)
        expect((await read(pod)).metadata.labels).not.toHaveProperty('x')
      })

      it('of an older version is a conflict', async () => {
        const resourceVersion = await version(pod)
        await patch(pod, { metadata: { labels: { x: '1' } } })
        const reply = await patch(pod, { metadata: { resourceVersion, labels: { y: '1' } } })
        expect(told(reply)).toEqual(no(409, 'Conflict'))
        const now = await version(pod)
        const good = { metadata: { resourceVersion: now, labels: { y: '1' } } }
        expect((await patch(pod, good)).status).toBe(200)
      })

      it('of nothing is 404, and of a label that is none 422', async () => {
        expect(told(await patch(`${pod}2`, {}))).toEqual(no(404, 'NotFound'))
        const bad = { metadata: { labels: { x: 'not a label' } } }
        expect(told(await patch(pod, bad))).toEqual(
          no(422, 'Invalid', { causes: ['metadata.labels'] }),
        )
      })

      it('without effect checks the same, and keeps nothing', async () => {
        const before = await read(pod)
        const dry = { dryRun: 'All' }
        const reply = await patch(pod, { metadata: { labels: { x: '1' } } }, dry)
        expect(reply).toMatchObject({ status: 200, body: { metadata: { labels: { x: '1' } } } })
        expect((await patch(pod, { metadata: { resourceVersion: '1' } }, dry)).status).toBe(409)
        expect(await read(pod)).toEqual(before)
      })

      it('closes a node and opens it', async () => {
        const node = '/api/v1/nodes/n1'
        const set = (unschedulable: boolean) => patch(node, { spec: { unschedulable } })
        expect((await set(true)).status).toBe(200)
        expect((await read(node)).spec['unschedulable']).toBe(true)
        expect((await set(false)).status).toBe(200)
        expect((await read(node)).spec).not.toHaveProperty('unschedulable')
      })
    })

    describe('an apply', () => {
      it('makes an object, and once more changes nothing', async () => {
        expect((await apply(policy, policyWith())).status).toBe(201)
        const made = await read(policy)
        expect(made.spec).toEqual(policyWith().spec)
        expect(made.metadata.labels).toEqual({ ours: 'yes' })
        expect(made.metadata.managedFields).toMatchObject([
          { manager: fieldManager, operation: 'Apply' },
        ])
        expect((await apply(policy, policyWith())).status).toBe(200)
        expect((await read(policy)).metadata.resourceVersion).toBe(made.metadata.resourceVersion)
      })

      it('without effect answers the same, and makes nothing', async () => {
        const reply = await apply(policy, policyWith(), { dryRun: 'All' })
        expect(reply).toMatchObject({ status: 201, body: { spec: policyWith().spec } })
        expect((await at.kube.send({ method: 'GET', path: policy })).status).toBe(404)
      })

      it('is a conflict where somebody else has set a field otherwise, and leaves what they added', async () => {
        await apply(policy, policyWith())
        await at.apply(policyWith({ egress: [{}] }))
        expect((await apply(policy, policyWith())).status).toBe(200)
        expect((await read(policy)).spec).toMatchObject({ egress: [{}] })
        await at.apply(policyWith({ policyTypes: ['Ingress'] }))
        expect(told(await apply(policy, policyWith()))).toEqual(
          no(409, 'Conflict', { causes: ['.spec.policyTypes'] }),
        )
        expect((await read(policy)).spec).toMatchObject({ policyTypes: ['Ingress'] })
        expect((await apply(policy, policyWith({ policyTypes: ['Ingress'] }))).status).toBe(200)
      })

      it('takes away what it set before and names no more', async () => {
        await apply(policy, policyWith({ egress: [{}] }))
        await apply(policy, policyWith())
        expect((await read(policy)).spec).toEqual(policyWith().spec)
      })

      it('of something that is none is refused', async () => {
        const { spec, ...rest } = policyWith()
        const other = { ...rest, metadata: { ...rest.metadata, name: 'other' }, spec }
        expect((await apply(policy, other)).status).toBe(400)
        const bad = policyWith()
        bad.metadata.labels.ours = 'not a label'
        expect(told(await apply(policy, bad))).toEqual(
          no(422, 'Invalid', { causes: ['metadata.labels'] }),
        )
      })
    })

    describe('a delete', () => {
      it('of that uid and version takes it away; of others it is a conflict', async () => {
        await apply(policy, policyWith())
        const { uid, resourceVersion } = (await read(policy)).metadata
        expect(told(await remove(policy, { uid: 'other' }))).toEqual(no(409, 'Conflict'))
        expect(told(await remove(policy, { uid, resourceVersion: '1' }))).toEqual(
          no(409, 'Conflict'),
        )
        expect((await read(policy)).metadata.uid).toBe(uid)
        expect((await remove(policy, { uid, resourceVersion })).status).toBe(200)
        expect(told(await remove(policy, { uid }))).toEqual(no(404, 'NotFound'))
      })

      it('without effect leaves it', async () => {
        const { uid } = (await read(pod)).metadata
        const dry = { dryRun: ['All'], gracePeriodSeconds: 1 }
        expect((await remove(pod, { uid }, dry)).status).toBe(200)
        expect((await remove(pod, { uid: 'other' }, dry)).status).toBe(409)
        expect((await read(pod)).metadata).not.toHaveProperty('deletionTimestamp')
      })

      it('of a pod on a node is a wish: it stays until its node has ended it', async () => {
        const { uid } = (await read(pod)).metadata
        expect((await remove(pod, { uid }, { gracePeriodSeconds: 5 })).status).toBe(200)
        const ending = await read(pod)
        expect(ending.metadata).toMatchObject({
          ...{ uid, deletionTimestamp: expect.any(String), deletionGracePeriodSeconds: 5 },
        })
        expect((await remove(pod, { uid }, { gracePeriodSeconds: 5 })).status).toBe(200)
        expect((await read(pod)).metadata.resourceVersion).toBe(ending.metadata.resourceVersion)
        expect((await patch(pod, { metadata: { uid, labels: { x: '1' } } })).status).toBe(200)
        expect((await remove(pod, { uid }, { gracePeriodSeconds: 0 })).status).toBe(200)
        expect((await at.kube.send({ method: 'GET', path: pod })).status).toBe(404)
      })

      it('and another under the same name have another uid', async () => {
        const { uid } = (await read(pod)).metadata
        await remove(pod, { uid }, { gracePeriodSeconds: 0 })
        await at.apply(podNamed('web'))
        expect((await read(pod)).metadata.uid).not.toBe(uid)
        expect(told(await remove(pod, { uid }))).toEqual(no(409, 'Conflict'))
      })
    })

    describe('an eviction', () => {
      it('ends the pod of that uid', async () => {
        const { uid } = (await read(pod)).metadata
        const other = await evict({ preconditions: { uid: 'other' } })
        expect(told(other)).toEqual(no(409, 'Conflict'))
        const dry = { preconditions: { uid }, dryRun: ['All'] }
        expect((await evict(dry)).status).toBe(201)
        expect((await read(pod)).metadata).not.toHaveProperty('deletionTimestamp')
        const real = { preconditions: { uid }, gracePeriodSeconds: 7 }
        expect((await evict(real)).status).toBe(201)
        expect((await read(pod)).metadata.deletionGracePeriodSeconds).toBe(7)
        expect((await evict(real)).status).toBe(201)
        expect(told(await evict({}, 'none'))).toEqual(no(404, 'NotFound'))
      })

      it('is refused by a budget that allows none, without effect, too', async () => {
        const path = await budget(0)
        const { uid } = (await read(pod)).metadata
        for (const dryRun of [[], ['All']]) {
          const reply = await evict({ preconditions: { uid }, dryRun })
          expect(told(reply)).toMatchObject(
            no(429, 'TooManyRequests', { causes: ['DisruptionBudget'] }),
          )
        }
        expect((await read(pod)).metadata).not.toHaveProperty('deletionTimestamp')
        // whose pod is not ready costs its budget nothing, and one that is ending is asked for no more
        await at.setStatus(path, {
          ...{ observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1 },
          expectedPods: 2,
        })
        expect((await evict({ preconditions: { uid } })).status).toBe(201)
      })

      it('is an error where two budgets count the pod', async () => {
        await budget(1, 'b1')
        await budget(1, 'b2')
        expect((await evict({})).status).toBe(500)
        expect((await read(pod)).metadata).not.toHaveProperty('deletionTimestamp')
      })
    })
  })
}
