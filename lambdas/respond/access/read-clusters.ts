import { nearestName } from '#events'
import type { Diagnostic, SourceFile } from '#load'
import type { RiskClass } from '#responses'
import { makeDiagnostic } from '../../../rules/load/diagnostic.ts'
import { NodeReader } from '../../../rules/load/node-reader.ts'
import { readJson } from '../../shared/read-json.ts'
import type { KnownCluster } from './clusters.ts'

/** Where the clusters lie in the bucket of rules. */
export const clustersKey = 'clusters.json'

export interface ClustersResult {
  readonly ok: boolean
  /** By the name that their nodes call them by; only with `ok` they are what the file says. */
  readonly clusters: ReadonlyMap<string, KnownCluster>
  readonly diagnostics: readonly Diagnostic[]
}

const keys = ['server', 'caPem', 'region', 'eks', 'externalId', 'roles'] as const
/** The classes that act on a cluster by a role of their own. */
const classes = ['read', 'mark', 'contain', 'destroy', 'node'] as const satisfies RiskClass[]

/** Reads `clusters.json`; all mistakes at once, each with its place. */
export function readClusters(file: SourceFile): ClustersResult {
  const diagnostics: Diagnostic[] = []
  const report = (diagnostic: Diagnostic) => void diagnostics.push(diagnostic)
  const context = { type: 'clusters content', name: '', place: { file, at: 0, end: 0 } }
  const clusters = new Map<string, KnownCluster>()
  const { documents, problems } = readJson(file)
  for (const { message, place } of problems) {
    report(makeDiagnostic('LOAD_ERR_YAML_PARSE', message, place, context))
  }
  for (const document of documents) {
    if (document.kind !== 'map') {
      const message = 'clusters are a map from names of clusters'
      report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', message, document.place, context))
      continue
    }
    for (const { key: name, keyPlace, value } of document.entries) {
      const of = { parent: context, type: 'cluster', name, place: keyPlace }
      const reader = new NodeReader(document, of, report)
      if (clusters.has(name)) reader.invalid(`the cluster "${name}" is there twice`, keyPlace)
      else if (value.kind !== 'map') reader.invalid(`"${name}" must be a map`, value.place)
      else clusters.set(name, readCluster(name, reader.nested(value, of)))
    }
  }
  return { ok: diagnostics.every(({ severity }) => severity !== 'error'), clusters, diagnostics }
}

function readCluster(name: string, reader: NodeReader): KnownCluster {
  reader.unknownKeys(keys)
  const server = reader.required('server')
  if (server !== undefined && !server.text.startsWith('https://')) {
    reader.invalid('server is no https address', server.place)
  }
  const caPem = reader.required('caPem')
  if (caPem !== undefined && !caPem.text.includes('BEGIN CERTIFICATE')) {
    const message = 'caPem is no certificate: the cluster is always checked by its authority'
    reader.invalid(message, caPem.place)
  }
  const region = reader.required('region')
  const [eks, externalId] = [reader.text('eks'), reader.text('externalId')]
  return {
    ...{ name, server: server?.text ?? '', caPem: caPem?.text ?? '', region: region?.text ?? '' },
    ...(eks !== undefined && { eks: eks.text }),
    ...(externalId !== undefined && { externalId: externalId.text }),
    roles: readRoles(reader),
  }
}

function readRoles(reader: NodeReader): KnownCluster['roles'] {
  const node = reader.map.get('roles')
  if (node?.kind !== 'map') {
    reader.invalid('roles must be a map from classes to ARNs', node?.place ?? reader.context.place)
    return {}
  }
  const roles = reader.nested(node, reader.within('roles', node))
  for (const { key, keyPlace } of node.entries) {
    if (classes.some((known) => known === key)) continue
    const nearest = nearestName(key, classes)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    roles.invalid(`there is no class ${key}: one of ${classes.join(', ')}${hint}`, keyPlace)
  }
  if (!roles.has('read')) roles.invalid('roles.read is missing', node.place)
  return Object.fromEntries(
    classes.flatMap((risk) => {
      const role = roles.text(risk)
      return role === undefined ? [] : [[risk, role.text]]
    }),
  )
}
