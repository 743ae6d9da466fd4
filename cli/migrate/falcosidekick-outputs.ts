import type { Converted } from './convert-falcosidekick.ts'

type Settings = Readonly<Record<string, string>>

interface Output {
  /** Whether Falcosidekick would send to it. */
  readonly isOn: (settings: Settings) => boolean
  /** A destination of ours; without, it stays with Falcosidekick. */
  readonly convert?: (settings: Settings) => Converted | undefined
}

const filled = (...keys: readonly string[]) => {
  return (settings: Settings) => keys.every((key) => (settings[key] ?? '') !== '')
}
const yes = (text: string | undefined) => /^(?:true|yes|1)$/i.test(text ?? '')

/** Outputs that have a counterpart, and the keys that switch the others on. */
export const outputsOf: Readonly<Record<string, Output>> = {
  slack: {
    isOn: filled('webhookurl'),
    convert: () => ({
      destination: { destination: 'slack', kind: 'slack', secret: 'lanner/notify/slack' },
      used: {
        webhookurl: 'member "url" of the secret lanner/notify/slack',
        channel: 'the webhook has its own channel; a bot token takes the id of any',
      },
      secret: { name: 'lanner/notify/slack', members: ['url'] },
    }),
  },
  alertmanager: {
    isOn: filled('hostport'),
    convert: ({ hostport = '' }) => ({
      destination: {
        ...{ destination: 'alertmanager', kind: 'alertmanager' },
        urls: hostport.split(',').map((host) => host.trim().replace(/\/+$/, '')),
      },
      used: { hostport: 'urls: every peer gets every alert', endpoint: 'it is /api/v2/alerts' },
    }),
  },
  pagerduty: {
    isOn: filled('routingkey'),
    convert: ({ region }) => ({
      destination: {
        ...{ destination: 'pagerduty', kind: 'pagerduty', secret: 'lanner/notify/pagerduty' },
        ...(region?.toLowerCase() === 'eu' && { region: 'eu' }),
      },
      used: {
        ...{
          routingkey: 'member "routing-key" of the secret lanner/notify/pagerduty',
          region: 'region',
        },
      },
      secret: { name: 'lanner/notify/pagerduty', members: ['routing-key'] },
    }),
  },
  'aws.sns': {
    isOn: filled('topicarn'),
    convert: ({ topicarn = '' }) => ({
      destination: { destination: 'sns', kind: 'sns', topic: topicarn },
      used: { topicarn: 'topic', rawjson: 'machines get JSON, e-mail gets text' },
    }),
  },
  webhook: {
    isOn: filled('address'),
    // its receiver understands Falco's JSON
    convert: ({ address = '' }) => ({
      destination: {
        ...{ destination: 'webhook', kind: 'falcosidekick', url: address.replace(/\/+$/, '') },
      },
      used: { address: "url: it gets Falco's JSON as before", method: 'it is POST' },
    }),
  },
  ...Object.fromEntries(
    (
      [
        ['rocketchat', 'webhookurl'],
        ['mattermost', 'webhookurl'],
        ['teams', 'webhookurl'],
        ['webex', 'webhookurl'],
        ['discord', 'webhookurl'],
        ['googlechat', 'webhookurl'],
        ['cliq', 'webhookurl'],
        ['telegram', 'token', 'chatid'],
        ['datadog', 'apikey'],
        ['datadoglogs', 'apikey'],
        ['elasticsearch', 'hostport'],
        ['loki', 'hostport'],
        ['sumologic', 'receiverURL'],
        ['quickwit', 'hostport'],
        ['influxdb', 'hostport'],
        ['prometheus', 'extralabels'],
        ['statsd', 'forwarder'],
        ['dogstatsd', 'forwarder'],
        ['wavefront', 'endpointtype'],
        ['timescaledb', 'host'],
        ['dynatrace', 'apitoken', 'apiurl'],
        ['opsgenie', 'apikey'],
        ['grafana', 'hostport', 'apikey'],
        ['grafanaoncall', 'webhookurl'],
        ['aws.lambda', 'functionname'],
        ['aws.sqs', 'url'],
        ['aws.s3', 'bucket'],
        ['aws.kinesis', 'streamname'],
        ['aws.cloudwatchlogs', 'loggroup'],
        ['aws.securitylake', 'bucket'],
        ['azure.eventhub', 'name'],
        ['gcp.pubsub', 'projectid', 'topic'],
        ['gcp.storage', 'bucket'],
        ['gcp.cloudfunctions', 'name'],
        ['gcp.cloudrun', 'endpoint'],
        ['gcp.chronicle', 'region'],
        ['yandex.s3', 'bucket'],
        ['yandex.datastreams', 'streamname'],
        ['nats', 'hostport'],
        ['stan', 'hostport'],
        ['kafka', 'hostport', 'topic'],
        ['kafkarest', 'address'],
        ['rabbitmq', 'url', 'queue'],
        ['mqtt', 'broker'],
        ['gotify', 'hostport'],
        ['smtp', 'hostport', 'from', 'to'],
        ['redis', 'address'],
        ['syslog', 'host'],
        ['zincsearch', 'hostport'],
        ['openobserve', 'hostport'],
        ['splunk', 'host'],
        ['logstash', 'address'],
        ['spyderbat', 'orguid', 'apikey'],
        ['otlp.traces', 'endpoint'],
        ['otlp.metrics', 'endpoint'],
        ['otlp.logs', 'endpoint'],
        ['n8n', 'address'],
        ['nodered', 'address'],
        ['webui', 'url'],
        ['talon', 'address'],
        ['kubeless', 'function'],
        ['openfaas', 'functionname'],
        ['fission', 'function'],
        ['tekton', 'eventlistener'],
        ['cloudevents', 'address'],
      ] as const
    ).map(([name, ...keys]) => [name, { isOn: filled(...keys) }]),
  ),
  policyreport: { isOn: ({ enabled }) => yes(enabled) },
}
