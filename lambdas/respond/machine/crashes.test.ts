import { afterAll, beforeAll, describe } from 'vitest'
import { crashSuite } from '../testing/crash-suite.ts'
import { isRealClusterWanted, type RealCluster, startRealCluster } from '../testing/real-cluster.ts'
import { fakeScene, realScene } from '../testing/scenes.ts'

describe('a crash after any call changes nothing about how it ends', () => {
  crashSuite(fakeScene)
})

describe.skipIf(!isRealClusterWanted)('nor does it on a real API server', () => {
  let cluster: RealCluster
  beforeAll(async () => {
    cluster = await startRealCluster()
  }, 1_200_000)
  afterAll(() => cluster?.stop())

  // all calls take five minutes; those that change the cluster, ten seconds
  const isLong = process.env['LANNER_LONG'] === '1'
  crashSuite(() => realScene(cluster), {
    atOnce: 4,
    ...(!isLong && { isWanted: ({ changesCluster }) => changesCluster }),
  })
})
