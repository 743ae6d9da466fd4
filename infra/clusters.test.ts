import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { CfnGuardValidator } from '@cdklabs/cdk-validator-cfnguard'
import { App } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { passOptions } from '../collector/agent-command.ts'
import { readConfig as readAgentConfig } from '../collector/config/read-config.ts'
import { isHelmBuilt, render } from '../collector/image/helm.ts'
import { defaultSubject } from '../lambdas/shared/senders/verify-token.ts'
import { readConfig } from './config.ts'
import { writeClusterTemplate } from './installation.ts'
import type { ClusterTemplate } from './stages/cluster-template.ts'
import { OnboardingStack } from './stages/clusters.ts'
import { resolveTemplate } from './testing/resolve-template.ts'
import { ofType, type Synthesised, synthesise, type Template } from './testing/synthesise.ts'

vi.setConfig({ hookTimeout: 240_000, testTimeout: 120_000 })

const home = { account: '111111111111', region: 'us-west-2' }
const clusters = [
  { name: 'here' },
  { name: 'far', account: '222222222222', region: 'us-east-1' },
  { name: 'own', namespace: 'security', serviceAccount: 'watcher' },
]
const config = { ...home, response: true, fips: true, clusters }
let made: Synthesised
let any: ClusterTemplate
let anyTemplate: Template

beforeAll(async () => {
  made = await synthesise(config)
  const directory = `${made.directory}/any-cluster`
  any = writeClusterTemplate(readConfig(config), directory)
  anyTemplate = JSON.parse(readFileSync(`${directory}/${any.templateFile}`, 'utf8'))
})
afterAll(() => rmSync(made.directory, { recursive: true, force: true }))

const stackOf = (name: string): Template => made.templates[`lanner-cluster-${name}`]!
const pseudo = ({ account, region }: { account?: string; region?: string }) => ({
  'AWS::AccountId': account ?? home.account,
  'AWS::Region': region ?? home.region,
  ...{ 'AWS::Partition': 'aws', 'AWS::URLSuffix': 'amazonaws.com' },
})
/** As CloudFormation shows the output of a stack. */
const output = (name: string, key: string) => {
  const cluster = clusters.find((one) => one.name === name)!
  return String(resolveTemplate(stackOf(name), pseudo(cluster)).Outputs![key]!.Value)
}
const homeStream = `arn:aws:kinesis:${home.region}:${home.account}:stream/lanner-stream`

describe('the values for Helm', () => {
  const schema = JSON.parse(
    readFileSync(new URL('../collector/image/chart/values.schema.json', import.meta.url), 'utf8'),
  )

  it.each(clusters)('of $name have no key that the chart does not know', ({ name }) => {
    const unknown: string[] = []
    const visit = (value: unknown, known: typeof schema, path: string) => {
      if (value === null || typeof value !== 'object') {
        if (known.type !== undefined && typeof value !== known.type) unknown.push(`${path}: type`)
        return
      }
      for (const [key, one] of Object.entries(value)) {
        const below = known.properties?.[key]
        if (below === undefined) unknown.push(`${path}${key}`)
        else visit(one, below, `${path}${key}.`)
      }
    }
    visit(JSON.parse(output(name, 'HelmValues')), schema, '')
    expect(unknown).toEqual([])
  })

  it.skipIf(!isHelmBuilt()).each(clusters)(
    'of $name make a DaemonSet that may write to the stream',
    ({ name, ...cluster }) => {
      const namespace = output(name, 'HelmNamespace')
      const objects = parseAllDocuments(render(output(name, 'HelmValues'), namespace)).map(
        (document) => document.toJS(),
      )
      const of = (kind: string) => objects.find((object) => object?.kind === kind)
      const pod = of('DaemonSet').spec.template.spec
      const { Properties } = ofType(stackOf(name), 'AWS::EKS::PodIdentityAssociation')[0]![1]
      expect(Properties['ClusterName']).toBe(name)
      // Pod Identity gives its role to this service account alone
      expect(of('DaemonSet').metadata.namespace).toBe(Properties['Namespace'])
      expect(pod.serviceAccountName).toBe(Properties['ServiceAccount'])
      expect(of('ServiceAccount').metadata).toMatchObject({
        ...{ name: Properties['ServiceAccount'], namespace: Properties['Namespace'] },
      })
      const text = of('ConfigMap').data['agent.yaml']
      const read = readAgentConfig({ name: 'agent.yaml', text }, {})
      expect(read.ok && read.config).toMatchObject({
        cluster: name,
        kinesis: {
          // a name would be looked for in the account of the cluster
          stream: cluster.account === undefined ? 'lanner-stream' : homeStream,
          region: home.region,
        },
      })
      expect(pod.containers[0].env).toContainEqual({ name: 'AWS_USE_FIPS_ENDPOINT', value: 'true' })
      expect(cluster.namespace ?? 'lanner').toBe(namespace)
    },
  )

  it('name the stream that the role of the cluster may write to', () => {
    const given = (name: string) => JSON.parse(output(name, 'HelmValues')).kinesis.stream
    expect(given('here')).toBe('lanner-stream')
    expect(given('far')).toBe(homeStream)
    expect(JSON.stringify(resolveTemplate(stackOf('far'), pseudo(clusters[1]!)))).toContain(
      `"Action":"kinesis:PutRecords","Effect":"Allow","Resource":"${homeStream}"`,
    )
  })

  it.each([
    ['aws-cn', 'cn-north-1', 'cn-northwest-1'],
    ['aws-us-gov', 'us-gov-west-1', 'us-gov-east-1'],
  ])('name it in the partition %s', (partition, homeRegion, region) => {
    const app = new App({ analyticsReporting: false })
    const [homeAccount, account] = [home.account, '222222222222']
    new OnboardingStack(app, 'stack', {
      ...{ env: { account, region }, homeAccount, homeRegion, stream: 's', cluster: 'c' },
      ...{ installation: 'i', namespace: 'n', serviceAccount: 'a', fips: false, risks: [] },
    })
    const { template } = app.synth().getStackByName('stack')
    const place = { ...pseudo({ account, region }), 'AWS::Partition': partition }
    const values = resolveTemplate(template, place).Outputs!['HelmValues']
    expect(JSON.parse(String(values!.Value)).kinesis).toMatchObject({
      ...{ stream: `arn:${partition}:kinesis:${homeRegion}:${homeAccount}:stream/s` },
      region: homeRegion,
    })
  })

  it('are not needed to write to the stream of an installation with default names', () => {
    const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
    const { Name } = ofType(made.templates['lanner-pipeline']!, 'AWS::Kinesis::Stream')[0]![1]
      .Properties
    for (const path of ['chart/values.yaml', 'systemd/agent.yaml']) {
      expect(parse(read(`collector/image/${path}`)).kinesis.stream, path).toBe(Name)
    }
    for (const path of ['lanner.yaml', 'preflight.yaml']) {
      const config = parseAllDocuments(read(`collector/image/${path}`))
        .map((document) => document.toJS())
        .find((object) => object?.kind === 'ConfigMap')
      expect(parse(config.data['agent.yaml']).kinesis.stream, path).toBe(Name)
    }
    for (const path of ['README.md', 'collector/README.md']) {
      const named = [...read(path).matchAll(/^kinesis: \{stream: ([^,}]+)/gm)]
      expect(
        named.map(([, stream]) => stream),
        path,
      ).toEqual([Name])
    }
  })

  it('and what they set in the environment reaches the agent through the sensor', () => {
    expect(passOptions).toContain('AWS_')
  })

  it('fit the subject that functions trust unless they are told another', () => {
    const subject = (name: string) => JSON.parse(output(name, 'TrustedSender')).subject
    expect(subject('here')).toBe(defaultSubject)
    expect(subject('own')).toBe('system:serviceaccount:security:watcher')
  })
})

describe('the template for any cluster', () => {
  const all = ['Read', 'Mark', 'Contain', 'Destroy', 'Node']
  const parameters = ({
    name,
    namespace,
    serviceAccount,
    ...place
  }: (typeof clusters)[number]) => ({
    ...pseudo(place),
    ClusterName: name,
    ...(namespace !== undefined && { Namespace: namespace }),
    ...(serviceAccount !== undefined && { ServiceAccount: serviceAccount }),
    ...Object.fromEntries(all.map((risk) => [`Respond${risk}`, 'true'])),
  })

  it.each(clusters)('makes for $name what its own stack makes', (cluster) => {
    const own = resolveTemplate(stackOf(cluster.name), pseudo(cluster))
    const parametrised = resolveTemplate(anyTemplate, parameters(cluster))
    expect(parametrised.Resources).toEqual(own.Resources)
    const values = (template: Template) =>
      Object.entries(template.Outputs!).map(([key, { Value }]) => [key, Value])
    expect(values(parametrised)).toEqual(values(own))
  })

  it('follows each of its parameters', () => {
    const text = (more: object) =>
      JSON.stringify(resolveTemplate(anyTemplate, { ...parameters(clusters[0]!), ...more }))
    const streamArn = 'arn:aws-us-gov:kinesis:us-gov-west-1:333333333333:stream/x-stream'
    expect(text({ StreamArn: streamArn })).toContain('arn:aws:kms:us-gov-west-1:333333333333:key/*')
    expect(text({ StreamArn: streamArn })).toContain(`"Resource":"${streamArn}"`)
    const values = (more: object) =>
      JSON.parse(
        String(
          resolveTemplate(anyTemplate, { ...parameters(clusters[0]!), ...more }).Outputs![
            'HelmValues'
          ]!.Value,
        ),
      ).kinesis
    expect(values({})).toMatchObject({ stream: 'lanner-stream', region: home.region })
    expect(values({ StreamArn: streamArn })).toMatchObject({
      stream: streamArn,
      region: 'us-gov-west-1',
    })
    expect(values({ StreamArn: streamArn, 'AWS::AccountId': '333333333333' }).stream).toBe(
      'x-stream',
    )
    expect(text({ ExternalId: 'a-secret' })).toContain('"sts:ExternalId":"a-secret"')
    const responder = 'arn:aws:iam::333333333333:role/other'
    expect(text({ ResponderRoleArn: responder })).toContain(`"aws:PrincipalArn":"${responder}"`)
    for (const risk of all) {
      const without = text({ [`Respond${risk}`]: 'false' })
      expect(without, risk).not.toContain(`lanner:respond:${risk.toLowerCase()}`)
      expect(without.match(/lanner:respond:/g), risk).toHaveLength(4)
      expect(without.match(/"AWS::IAM::Role"/g), risk).toHaveLength(5)
      expect(without.match(/"AWS::IAM::Policy"/g), risk).toHaveLength(5)
    }
  })

  it('lets nobody act unless it is said, and has texts as defaults', () => {
    const { Parameters } = anyTemplate as unknown as {
      Parameters: Record<string, { Default?: unknown; AllowedPattern?: string }>
    }
    const plain = resolveTemplate(anyTemplate, { ...pseudo({}), ClusterName: 'x' })
    expect(
      Object.values(plain.Resources)
        .map(({ Type }) => Type)
        .sort(),
    ).toEqual([...['AWS::EKS::PodIdentityAssociation', 'AWS::IAM::Policy', 'AWS::IAM::Role']])
    for (const [name, { Default = '', AllowedPattern = '' }] of Object.entries(Parameters)) {
      expect(typeof Default, name).toBe('string')
      if (name !== 'ClusterName') expect(Default, name).toMatch(new RegExp(AllowedPattern))
    }
  })

  it('needs no assets and no bootstrapped account, and passes the checks', () => {
    const text = JSON.stringify(anyTemplate)
    expect(text).not.toMatch(/BootstrapVersion|cdk-hnb659fds|Fn::ImportValue/)
    const found = new AwsSolutionsChecks(any)
      .validateScope(any)
      .violations.map(({ ruleName }) => ruleName)
    expect(
      found.filter((rule) => !/^AwsSolutions-IAM5\[Resource::.*key\/\*\]$/.test(rule)),
    ).toEqual([])
    const guard = new CfnGuardValidator({ maxBuffer: 1 << 26 })
    const templatePaths = [`${made.directory}/any-cluster/${any.templateFile}`]
    expect(guard.validate({ templatePaths } as never).violations).toEqual([])
  })
})

describe('a cluster that is taken out', () => {
  it('takes with it what was made for it, and nothing else', async () => {
    const rest = clusters.filter(({ name }) => name !== 'far')
    const without = await synthesise({ ...config, clusters: rest })
    rmSync(without.directory, { recursive: true, force: true })
    const stacks = Object.keys(without.templates)
    const gone = Object.keys(made.templates).filter((name) => !stacks.includes(name))
    expect(gone).toEqual(['lanner-cluster-far'])
    const differing = stacks.flatMap((name) => {
      const [before, after] = [made, without].map(({ templates }) => templates[name]!.Resources)
      const ids = new Set([...Object.keys(before!), ...Object.keys(after!)])
      return [...ids]
        .filter((id) => JSON.stringify(before![id]) !== JSON.stringify(after![id]))
        .map((id) => `${name} ${(before![id] ?? after![id])!.Type}${id in after! ? '' : ' gone'}`)
    })
    // who may write, and by which names metrics and dashboard know clusters
    expect(differing.sort()).toEqual([
      'lanner-operations AWS::CloudWatch::Dashboard',
      'lanner-pipeline AWS::KMS::Key',
      'lanner-pipeline AWS::Kinesis::ResourcePolicy gone',
      'lanner-pipeline AWS::Lambda::Function',
      'lanner-pipeline AWS::Lambda::Function',
    ])
    expect(JSON.stringify(without.templates)).not.toMatch(/222222222222|\bfar\b/)
  })

  it('leaves nothing in its account: no resource of its stack stays, nor is it protected', () => {
    for (const [name, { Resources }] of Object.entries(made.templates)) {
      if (!name.startsWith('lanner-cluster-')) continue
      for (const [id, { DeletionPolicy }] of Object.entries(Resources)) {
        expect(DeletionPolicy, `${name} ${id}`).toBeUndefined()
      }
    }
    for (const { terminationProtection } of made.installation.clusters) {
      expect(terminationProtection).not.toBe(true)
    }
  })

  it('takes all that Helm made out of Kubernetes: it has no hooks and keeps nothing', () => {
    const directory = new URL('../collector/image/chart/templates/', import.meta.url)
    for (const name of readdirSync(directory)) {
      const text = readFileSync(new URL(name, directory), 'utf8')
      expect(text, name).not.toMatch(/helm\.sh\/(hook|resource-policy)/)
    }
  })
})
