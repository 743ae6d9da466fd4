import { readSenders, sendersKey, type TrustedSenders } from '../../lambdas/shared/read-senders.ts'
import type { FileKind } from './file-kind.ts'
import { allIsNew } from './responses-kind.ts'

/** Whom the functions believe that a batch is from the node it names. */
export const sendersKind: FileKind = {
  what: 'senders',
  key: sendersKey,
  none: '{}\n',
  about: `Puts into force whom to believe: issuers of clusters, and keys of nodes outside Kubernetes. Without any,
every batch is judged, but none proves its node, and responses to it are plans only.`,
  check: (file) => readSenders(file).diagnostics,
  compare(before, after) {
    const was = before === undefined ? undefined : readSenders({ name: sendersKey, text: before })
    const old = was?.ok === true ? entriesOf(was.trusted) : new Map<string, string>()
    const now = entriesOf(readSenders({ name: sendersKey, text: after }).trusted)
    const lines = was?.ok === false ? [allIsNew] : []
    for (const [name] of old) if (!now.has(name)) lines.push(`not believed any more: ${name}`)
    for (const [name, text] of now) {
      if (!old.has(name)) lines.push(`believed from now on: ${name}`)
      else if (old.get(name) !== text) lines.push(`changed: ${name}`)
    }
    return { lines, automatic: [] }
  },
}

/** All of what each entry says, by what people know it by. */
function entriesOf({ issuers, enrolled }: TrustedSenders): Map<string, string> {
  return new Map([
    ...issuers.map((one) => {
      const of = one.subject === undefined ? '' : ` (${one.subject})`
      const name = `issuer ${one.issuer} for cluster ${one.cluster}${of}`
      return [name, JSON.stringify(one)] as const
    }),
    ...enrolled.map((one) => {
      return [`the key of node ${one.node} in ${one.cluster}`, JSON.stringify(one)] as const
    }),
  ])
}
