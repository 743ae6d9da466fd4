import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { actor } from '../live/watcher.ts'

/** A C build, shells, network, files: what an ordinary machine does, in a directory that exists. */
const script = `
cd "$0" || exit 1
for i in $(seq 30); do
	printf '#include <stdio.h>\\n#include <stdlib.h>\\n#include <string.h>\\nint f%d(void){return %d;}\\n' $i $i > f$i.c
	gcc -O1 -c f$i.c -o f$i.o 2>/dev/null
	ls -l f$i.* | sed s/f/g/ | sort > list$i
	mkdir -p d$i/e && cp f$i.c d$i/e/ && mv d$i/e/f$i.c d$i/ && chmod 600 d$i/f$i.c && ln -s f$i.c d$i/link
	rm -r d$i
	cat /proc/self/status /etc/passwd /etc/group > /dev/null
	id > /dev/null; uname -a > /dev/null; env > /dev/null
done
find /usr/include /etc -name '*.h' -newer f1.c > /dev/null 2>&1
grep -rl lanner_nowhere /etc > /dev/null 2>&1
`

const server = `
const { createServer, connect } = require('node:net')
const server = createServer((s) => s.end('x')).listen(0, '127.0.0.1', () => {
  let left = 400
  const next = () => {
    if (left-- === 0) return server.close()
    connect(server.address().port, '127.0.0.1').on('data', () => {}).on('close', next)
  }
  next()
})
`

/** Plays it once, some seconds long. */
export async function playWorkload(directory: string): Promise<void> {
  const run = async (file: string, args: string[]) => {
    const child = spawn(file, args, { stdio: 'ignore' })
    await once(child, 'exit')
  }
  await run('sh', ['-c', script, directory])
  await run(process.execPath, ['-e', server])
  await run(actor, ['loop', 'connect', '500'])
  await run(actor, ['open', '/etc/shadow', 'r'])
}
