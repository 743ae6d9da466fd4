import { type Kube, type KubeReply, type KubeRequest, Unanswered } from '../kubernetes/kube.ts'
import { failure } from './fake-kube.ts'

export interface KubeFault {
  readonly status?: number
  readonly retryAfter?: number
  readonly timeout?: boolean
  /** The call is made, and then this happens. */
  readonly after?: boolean
}

/** A way to a cluster on which things go wrong as told. */
export class FaultyKube implements Kube {
  readonly #kube: Kube
  /** Asked before each call. */
  fault: (request: KubeRequest) => KubeFault | undefined = () => undefined

  constructor(kube: Kube) {
    this.#kube = kube
  }

  async send(request: KubeRequest): Promise<KubeReply> {
    const fault = this.fault(request)
    if (fault === undefined) return this.#kube.send(request)
    if (fault.after === true) await this.#kube.send(request)
    if (fault.timeout === true) throw new Unanswered(`${request.method} ${request.path}: timed out`)
    const status = fault.status ?? 500
    const reply = failure(status, 'Planned', `this is a planned ${status}`)
    return { ...reply, ...(fault.retryAfter !== undefined && { retryAfter: fault.retryAfter }) }
  }
}
