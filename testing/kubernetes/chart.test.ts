import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { readConfig } from '../../collector/config/read-config.ts'
import { buildHelm, isHelmBuilt, lint, render, whyNoHelm } from '../../collector/image/helm.ts'
import { manifest, manifests } from '../../collector/image/manifests.ts'
import { type ApiServer, isApiServerBuilt, startApiServer } from './apiserver/start-apiserver.ts'

const image = fileURLToPath(new URL('../../collector/image/', import.meta.url))
const mustRun = process.env['CI'] === 'true' && process.getuid?.() === 0
const reason = whyNot()

/** Helm takes minutes to build: only where it must, and in the long run. */
function whyNot(): string {
  const why = whyNoHelm()
  if (why !== '' && mustRun) throw new Error(`the chart must be rendered in CI, but: ${why}`)
  const builds = mustRun || process.env['LANNER_LONG'] === '1'
  return why !== '' || isHelmBuilt() || builds
    ? why
    : 'Helm is not built: node collector/image/manifests.ts builds it'
}

interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  // biome-ignore lint/suspicious/noExplicitAny: looked into by tests
  readonly [key: string]: any
}

function objectsOf(text: string): KubernetesObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null)
}

const rendered = (values: object) =>
  objectsOf(render(JSON.stringify({ cluster: 'prod-eu', ...values })))
const find = (objects: readonly KubernetesObject[], kind: string) =>
  objects.filter((object) => object.kind === kind)

/** Mistakes of the agent's configuration in the objects, as the agent itself reads it. */
function configOf(objects: readonly KubernetesObject[]) {
  const text = find(objects, 'ConfigMap')[0]!['data']['agent.yaml'] as string
  return { text, result: readConfig({ name: 'agent.yaml', text }, {}) }
}

describe.skipIf(reason !== '')(`the chart ${reason}`, () => {
  beforeAll(() => buildHelm(), 1_200_000)

  it.each(Object.keys(manifests) as (keyof typeof manifests)[])(
    'renders to the committed %s',
    (name) => {
      expect(readFileSync(join(image, name), 'utf8')).toBe(manifest(name))
    },
  )

  it('has no mistake that lint knows', () => {
    expect(lint('cluster: prod-eu')).toContain('0 chart(s) failed')
  })

  it('asks no cluster and hooks into no release', () => {
    const templates = join(image, 'chart/templates')
    for (const name of readdirSync(templates)) {
      const text = readFileSync(join(templates, name), 'utf8')
      expect(text, name).not.toMatch(
        /\blookup\b|helm\.sh\/hook|\.Capabilities|randAlpha|genCA|now\b\s*\|/,
      )
    }
    expect(rendered({})).toEqual(rendered({}))
  })

  it.each([
    [{ cluster: '' }, /cluster/],
    [{ clutser: 'x' }, /clutser/],
    [{ mode: 'both' }, /mode/],
    [{ kinesis: { stream: 'a b' } }, /stream/],
    [{ kinesis: { stream: 'arn:aws:firehose:eu-central-1:111111111111:stream/s' } }, /stream/],
    [{ kinesis: { stream: 'arn:aws:kinesis:eu-central-1:1111:stream/s' } }, /stream/],
    [{ image: { digest: 'sha256:12' } }, /digest/],
    [{ spool: { hostPath: '/spool' } }, /hostPath/],
    [{ rules: { library: false } }, /there would be no rules/],
    [{ rules: { files: { '../x.yaml': '' } } }, /x\.yaml/],
    [{ updateStrategy: { maxUnavailable: '0%' } }, /maxUnavailable/],
  ])('refuses %j', (values, message) => {
    expect(() => rendered(values)).toThrow(message)
  })

  it('makes a configuration that the agent takes, in either mode', () => {
    const stream = configOf(rendered({ kinesis: { stream: 'events', region: 'eu-central-1' } }))
    expect(stream.result.ok && stream.result.config).toMatchObject({
      cluster: 'prod-eu',
      kinesis: { stream: 'events', region: 'eu-central-1' },
      kubernetes: { mode: 'on' },
      identity: { token: '/var/run/secrets/lanner/token', instance: 'node' },
      rules: { paths: ['/lanner/rules'] },
    })
    for (const [partition, region] of [
      ['aws', 'eu-central-1'],
      ['aws-cn', 'cn-northwest-1'],
      ['aws-us-gov', 'us-gov-west-1'],
    ]) {
      const arn = `arn:${partition}:kinesis:${region}:111111111111:stream/events`
      const { result } = configOf(rendered({ kinesis: { stream: arn, region } }))
      expect(result.ok && result.config.kinesis).toMatchObject({ stream: arn, region })
    }
    const config = { limit: { events: 50 }, redact: { enabled: true } }
    const alerts = configOf(
      rendered({ mode: 'alerts', alerts: { http: 'http://falco:2801/' }, config }),
    )
    expect(alerts.result.ok && alerts.result.config).toMatchObject({
      alerts: { mode: 'always', http: { url: 'http://falco:2801/' } },
      ...config,
    })
    expect(parse(alerts.text)).not.toHaveProperty('kinesis')
  })

  it('needs nothing of AWS and writes nothing to the node where it only makes alerts', () => {
    const [set] = find(rendered({ mode: 'alerts' }), 'DaemonSet')
    const pod = set!['spec'].template.spec
    expect(pod.initContainers).toBeUndefined()
    expect(pod.volumes.filter((each: { name: string }) => each.name === 'spool')).toEqual([])
    for (const { readOnly } of pod.containers[0].volumeMounts) expect(readOnly).toBe(true)
  })

  it('gives the sensor its seven capabilities and a read-only root, and nobody more', () => {
    const [set] = find(rendered({}), 'DaemonSet')
    const { containers, initContainers, securityContext, hostPID, hostNetwork } =
      set!['spec'].template.spec
    expect(containers[0].securityContext).toEqual({
      runAsUser: 0,
      runAsGroup: 0,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: {
        drop: ['ALL'],
        add: ['BPF', 'PERFMON', 'SETUID', 'SETGID', 'KILL', 'SYS_PTRACE', 'DAC_READ_SEARCH'],
      },
    })
    expect(initContainers[0].securityContext.capabilities.add).toEqual(['CHOWN', 'DAC_READ_SEARCH'])
    expect(securityContext).toMatchObject({
      fsGroup: 65534,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect([hostPID, hostNetwork]).toEqual([true, undefined])
    const writable = containers[0].volumeMounts.filter(
      (each: { readOnly?: true }) => !each.readOnly,
    )
    expect(writable).toEqual([{ name: 'spool', mountPath: '/var/lib/lanner' }])
  })

  it('preflights with the rights and mounts of the DaemonSet', () => {
    const pod = (objects: readonly KubernetesObject[], kind: string) =>
      find(objects, kind)[0]!['spec'].template.spec
    const set = pod(rendered({}), 'DaemonSet')
    const objects = rendered({ preflight: { only: true, nodes: 3 } })
    const job = pod(objects, 'Job')
    expect(find(objects, 'DaemonSet')).toEqual([])
    expect(job.containers[0].securityContext).toEqual(set.containers[0].securityContext)
    expect(job.containers[0].volumeMounts).toEqual(set.containers[0].volumeMounts)
    expect(job.securityContext).toEqual(set.securityContext)
  })

  it('takes your rules, SELinux type and digest', () => {
    const digest = `sha256:${'a'.repeat(64)}`
    const objects = rendered({
      rules: { files: { 'own.yaml': '- rule: x\n  desc: y\n' } },
      seLinuxType: 'super_t',
      image: { digest },
    })
    const spec = find(objects, 'DaemonSet')[0]!['spec'].template.spec
    expect(spec.containers[0].image).toBe(`ghcr.io/lanner/lanner@${digest}`)
    expect(spec.securityContext.seLinuxOptions).toEqual({ type: 'super_t' })
    expect(find(objects, 'ConfigMap')[1]!['data']['own.yaml']).toBe('- rule: x\n  desc: y\n')
    const { result } = configOf(objects)
    expect(result.ok && result.config.rules.paths).toEqual(['/lanner/rules', '/etc/lanner-rules'])
  })

  describe.skipIf(!isApiServerBuilt() && process.env['LANNER_LONG'] !== '1')(
    'on a real API server',
    () => {
      let server: ApiServer
      beforeAll(async () => {
        server = await startApiServer({})
        const metadata = { name: 'lanner' }
        await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata })
      }, 1_200_000)
      afterAll(() => server?.stop())

      it.each([
        ['as it is', {}],
        ['alerts alone', { mode: 'alerts' }],
        [
          'with everything set',
          {
            rules: { files: { 'own.yaml': '- rule: x\n' } },
            seLinuxType: 'super_t',
            image: { pullSecrets: [{ name: 'registry' }] },
            podAnnotations: { a: 'b' },
            podLabels: { c: 'd' },
          },
        ],
        ['preflight', { preflight: { only: true } }],
      ])('is taken as it would be applied: %s', async (_, values) => {
        for (const object of rendered(values)) {
          const { status } = await server.call('PATCH', dryRunPath(object), object, {
            contentType: 'application/apply-patch+yaml',
          })
          expect([object.kind, [200, 201].includes(status)]).toEqual([object.kind, true])
        }
      })

      it('is refused where a field does not exist', async () => {
        const [set] = find(rendered({}), 'DaemonSet')
        const wrong = { ...set!, spec: { ...set!['spec'], replicas: 3 } }
        const { body } = await server.call('PATCH', dryRunPath(wrong), wrong, {
          contentType: 'application/apply-patch+yaml',
          expect: 500,
        })
        expect(body.message).toContain('.spec.replicas: field not declared in schema')
      })
    },
  )
})

/** Server-side apply that changes nothing, and knows every field. */
function dryRunPath({ apiVersion, kind, metadata }: KubernetesObject): string {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  const plural = `${kind.toLowerCase()}s`
  const query = 'dryRun=All&fieldManager=test&fieldValidation=Strict&force=true'
  return `${base}${namespace}/${plural}/${metadata.name}?${query}`
}
