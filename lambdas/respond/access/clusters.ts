import type { RiskClass } from '#responses'
import { type ClusterAddress, KubeClient } from '../kubernetes/client.ts'
import { NoRole } from '../kubernetes/kube.ts'
import type { Kubes } from '../machine/make-plan.ts'
import { eksToken, TokenSource } from './eks-token.ts'
import type { Credentials } from './presign.ts'

/** A cluster of `clusters.json`. */
export interface KnownCluster extends ClusterAddress {
  /** EKS's name of it, when nodes call it otherwise. */
  readonly eks?: string
  readonly region: string
  /** What the roles ask for beside the caller: `INSTALLATION:CLUSTER`, as the cluster's stack sets it. */
  readonly externalId?: string
  /** ARN of the role of each risk class. */
  readonly roles: Readonly<Partial<Record<RiskClass, string>>>
}

export type Assume = (
  role: string,
  session: string,
  externalId: string | undefined,
) => Promise<{ readonly credentials: Credentials; readonly until: Date }>

const mostClients = 200

/** Ways to clusters, one for each class and session: the cluster's audit log names the response. */
export class Clusters {
  readonly #assume: Assume
  readonly #now: () => number
  readonly #clients = new Map<string, KubeClient>()

  constructor(assume: Assume, now: () => number) {
    this.#assume = assume
    this.#now = now
  }

  kubes(cluster: KnownCluster, session: string): Kubes {
    return async (risk) => {
      const role = cluster.roles[risk]
      if (role === undefined) {
        throw new NoRole(
          `${cluster.name} has no role for ${risk}: such actions are not set up there`,
        )
      }
      const key = JSON.stringify([cluster.server, cluster.caPem, role, session])
      let client = this.#clients.get(key)
      if (client === undefined) {
        if (this.#clients.size >= mostClients) {
          this.#clients.delete(this.#clients.keys().next().value!)
        }
        client = this.#client(cluster, role, session)
        this.#clients.set(key, client)
      }
      return client
    }
  }

  #client(cluster: KnownCluster, role: string, session: string): KubeClient {
    const source = new TokenSource(async (date) => {
      const { credentials, until } = await this.#assume(role, session, cluster.externalId)
      const { eks, name, region } = cluster
      return { token: await eksToken({ cluster: eks ?? name, region, credentials, date }), until }
    }, this.#now)
    return new KubeClient({ cluster, token: source.token, onRefused: source.forget })
  }
}
