import { expect, it } from 'vitest'
import { topology } from '../../infra/topology/index.ts'
import { leaseSeconds } from '../../lambdas/respond/machine/response-table.ts'

it('a response is led by nobody else while a function may still run that leads it', () => {
  const functions = topology.functions.filter(({ stage }) => stage === 'respond')
  expect(functions).toHaveLength(1)
  expect(leaseSeconds).toBeGreaterThan(functions[0]!.timeoutSeconds + 10)
})
