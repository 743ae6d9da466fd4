import { type Action, riskOf } from '#responses'

/** An action in words, with the class of its risk. */
export function actionText(action: Action): string {
  return `${whatItDoes(action)} (${riskOf(action)})`
}

function whatItDoes(action: Action): string {
  switch (action.kind) {
    case 'describe':
      return 'describes the pod and what is around it, as evidence'
    case 'logs':
      return `keeps the last ${action.tailLines} lines of the logs${action.previous ? ', those of containers before too' : ''}`
    case 'label': {
      const set = Object.entries(action.set).map(([key, value]) => {
        return value === null ? `${key} taken away` : `${key}=${value}`
      })
      return `${action.what} of the ${action.level}: ${set.join(', ')}`
    }
    case 'quarantine': {
      const open = [
        ...action.allowCidrs,
        ...action.allowNamespaces.map((name) => `namespace ${name}`),
      ]
      const left = open.length === 0 ? '' : `, all but egress to ${open.join(', ')}`
      return `cuts the network of the pod off${left}${action.hard ? ', also by ClusterNetworkPolicy' : ''}`
    }
    case 'cordon':
      return 'lets the node take no more pods'
    case 'uncordon':
      return 'lets the node take pods again'
    case 'evict':
      return 'evicts the pod, as budgets allow'
    case 'terminate':
      return `ends the pod, ${action.graceSeconds}s after it is told`
    case 'lambda':
      return `invokes the function ${action.name}:${action.qualifier} (${action.invocation})`
    case 'webhook':
      return `calls ${action.url}`
    case 'unsupported':
      return `does nothing: ${action.actionner}: ${action.reason}`
  }
}
