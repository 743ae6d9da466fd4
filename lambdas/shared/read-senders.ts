import type { Diagnostic, SourceFile } from '#load'
import { makeDiagnostic } from '../../rules/load/diagnostic.ts'
import { NodeReader } from '../../rules/load/node-reader.ts'
import { readJson } from './read-json.ts'
import { type EnrolledKey, isEnrollable, type TrustedIssuer } from './senders/index.ts'

/** Where the operator says whom to believe, in the bucket of rules. */
export const sendersKey = 'senders.json'

/** Whose word is taken: issuers of clusters, and keys of nodes outside Kubernetes. */
export interface TrustedSenders {
  readonly issuers: readonly TrustedIssuer[]
  readonly enrolled: readonly EnrolledKey[]
}

export interface SendersResult {
  readonly ok: boolean
  /** Only with `ok` it is what the file says. */
  readonly trusted: TrustedSenders
  readonly diagnostics: readonly Diagnostic[]
}

const issuerKeys = ['issuer', 'cluster', 'audience', 'subject', 'keys'] as const
const nodeKeys = ['cluster', 'node', 'publicKey'] as const

/** Reads `senders.json`; all mistakes at once, each with its place. An unknown key is one: it may be misspelt trust. */
export function readSenders(file: SourceFile): SendersResult {
  const diagnostics: Diagnostic[] = []
  const report = (diagnostic: Diagnostic) =>
    void diagnostics.push({ ...diagnostic, severity: 'error' })
  const context = { type: 'senders content', name: '', place: { file, at: 0, end: 0 } }
  const issuers: TrustedIssuer[] = []
  const enrolled: EnrolledKey[] = []
  const { documents, problems } = readJson(file)
  for (const { message, place } of problems) {
    report(makeDiagnostic('LOAD_ERR_YAML_PARSE', message, place, context))
  }
  for (const document of documents) {
    if (document.kind !== 'map') {
      const message = 'whom to believe is a map of "issuers" and "enrolled"'
      report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', message, document.place, context))
      continue
    }
    const reader = new NodeReader(document, context, report)
    reader.unknownKeys(['issuers', 'enrolled'])
    for (const each of maps(reader, 'issuers')) issuers.push(readIssuer(each))
    for (const each of maps(reader, 'enrolled')) enrolled.push(readNode(each))
    twice(issuers, ({ issuer }) => issuer, 'the issuer', reader)
    twice(enrolled, ({ cluster, node }) => `${cluster}/${node}`, 'the node', reader)
  }
  // kept as JSON has them: keys are nobody's to read but the verifier's
  const sets = diagnostics.length > 0 ? [] : (JSON.parse(file.text).issuers ?? [])
  return {
    ok: diagnostics.length === 0,
    trusted: {
      issuers: issuers.map((one, at) => {
        const keys = sets[at]?.keys
        return keys === undefined ? one : { ...one, keys }
      }),
      enrolled,
    },
    diagnostics,
  }
}

function maps(reader: NodeReader, key: string): NodeReader[] {
  return (reader.seq(key)?.items ?? []).flatMap((item) => {
    const context = reader.within(key, item)
    if (item.kind === 'map') return [reader.nested(item, context)]
    reader.invalid(`${key} holds maps only`, item.place, context)
    return []
  })
}

function readIssuer(reader: NodeReader): TrustedIssuer {
  reader.unknownKeys(issuerKeys)
  const [issuer, cluster] = [reader.required('issuer'), reader.required('cluster')]
  if (issuer !== undefined && !issuer.text.startsWith('https://')) {
    reader.invalid('issuer is no https address', issuer.place)
  }
  const [audience, subject] = [reader.text('audience'), reader.text('subject')]
  if (subject !== undefined && !/^system:serviceaccount:[^:]+:[^:]+$/.test(subject.text)) {
    reader.invalid('subject is no system:serviceaccount:NAMESPACE:NAME', subject.place)
  }
  const keys = reader.map.get('keys')
  if (keys !== undefined && (keys.kind !== 'map' || keys.get('keys')?.kind !== 'seq')) {
    reader.invalid('keys is no JSON Web Key Set: {"keys": […]}', keys.place)
  }
  return {
    ...{ issuer: issuer?.text ?? '', cluster: cluster?.text ?? '' },
    ...(audience !== undefined && { audience: audience.text }),
    ...(subject !== undefined && { subject: subject.text }),
  }
}

function readNode(reader: NodeReader): EnrolledKey {
  reader.unknownKeys(nodeKeys)
  const [cluster, node] = [reader.required('cluster'), reader.required('node')]
  const key = reader.required('publicKey')
  if (key !== undefined && !isEnrollable(key.text)) {
    reader.invalid('publicKey is no Ed25519 key as PEM or base64', key.place)
  }
  const [of, name] = [cluster?.text ?? '', node?.text ?? '']
  return { cluster: of, node: name, publicKey: key?.text ?? '' }
}

function twice<T>(all: readonly T[], nameOf: (one: T) => string, what: string, to: NodeReader) {
  const names = all.map(nameOf)
  for (const name of new Set(names.filter((one, at) => names.indexOf(one) !== at))) {
    to.invalid(`${what} "${name}" is there twice`, to.map.place)
  }
}
