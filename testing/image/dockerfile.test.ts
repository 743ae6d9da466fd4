import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { imageConfig } from '../../collector/image/files.ts'

const dockerfile = readFileSync(
  new URL('../../collector/image/Dockerfile', import.meta.url),
  'utf8',
)

it('the Dockerfile makes the image that the script makes', () => {
  const { environment, entrypoint, command, directory } = imageConfig
  const [, final] = dockerfile.split('FROM scratch\n')
  const variables = Object.entries(environment).map(([name, value]) => `${name}="${value}"`)
  expect(final).toBe(
    [
      'COPY --from=build /out/ /',
      `ENV ${variables.join(' ')}`,
      `WORKDIR ${directory}`,
      `ENTRYPOINT ${JSON.stringify(entrypoint)}`,
      `CMD ${JSON.stringify(command)}`,
      '',
    ].join('\n'),
  )
})
