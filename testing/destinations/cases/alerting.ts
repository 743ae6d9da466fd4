import { tellAlertmanager } from '../../../lambdas/notify/alertmanager/tell-alertmanager.ts'
import { tellPagerDuty } from '../../../lambdas/notify/pagerduty/tell-pagerduty.ts'
import { AlertmanagerStandIn } from '../alertmanager.ts'
import { FaultServer, type Reply } from '../fault-server.ts'
import { PagerDutyStandIn } from '../pagerduty.ts'
import { type CaseMaker, destinationOf, subjectIn } from './case.ts'

export const alertmanager: CaseMaker = {
  name: 'Alertmanager',
  start: async (tls) => {
    const vendor = new AlertmanagerStandIn()
    vendor.authorization = 'Bearer good'
    const server = await FaultServer.start(vendor, tls)
    let isThere = true
    const serve = vendor.serve.bind(vendor)
    vendor.serve = (request): Reply => (isThere ? serve(request) : { status: 404 })
    return {
      server,
      destination: destinationOf('alertmanager', server.url),
      secret: { token: 'good' },
      make: tellAlertmanager,
      seen: (now) =>
        [...vendor.alerts.values()].map(({ annotations, endsAt }) => ({
          subject: annotations?.['incident'] ?? '',
          state: Date.parse(endsAt ?? '') > now ? 'open' : 'closed',
        })),
      changeLogin: () => {
        vendor.authorization = 'Bearer new'
        return { token: 'new' }
      },
      remove: () => {
        isThere = false
      },
      stop: () => server.stop(),
    }
  },
}

export const pagerDuty: CaseMaker = {
  name: 'PagerDuty',
  start: async (tls) => {
    const vendor = new PagerDutyStandIn()
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('pagerduty', server.url),
      secret: { 'routing-key': vendor.routingKey },
      make: tellPagerDuty,
      seen: () =>
        [...vendor.incidents].map(([key, { state }]) => ({
          ...{ subject: subjectIn(key), state: state === 'resolved' ? 'closed' : 'open' },
        })),
      changeLogin: () => {
        vendor.routingKey = 'N'.repeat(32)
        return { 'routing-key': vendor.routingKey }
      },
      remove: () => {
        server.fault = () => ({ status: 404 })
      },
      stop: () => server.stop(),
    }
  },
}
