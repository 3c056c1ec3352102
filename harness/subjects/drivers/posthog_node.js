// posthog-node's own local evaluator behind the JSON lines protocol: `node posthog_node.js <folder that holds node_modules>`.
// Definitions reach the SDK as they do in an application, by polling: the driver serves the loaded document on loopback
// and asks the SDK to poll. While a request that names `context.now` is answered, that is what `Date` says.
'use strict'

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const readline = require('node:readline')
const { createRequire } = require('node:module')

// Whatever the SDK prints must not look like an answer.
for (const level of ['log', 'info', 'debug']) console[level] = (...words) => console.error(...words)

const lane = path.resolve(process.argv[2])
const { PostHog } = createRequire(path.join(lane, 'resolve.js'))('posthog-node')
const { version } = JSON.parse(fs.readFileSync(path.join(lane, 'node_modules/posthog-node/package.json')))

const MachineDate = Date
let instant = null // milliseconds since 1970, while a request is answered that names one
globalThis.Date = class extends MachineDate {
  constructor(...given) {
    super(...(given.length === 0 && instant !== null ? [instant] : given))
  }
  static now() {
    return instant ?? MachineDate.now()
  }
}

const POLL_NEVER_MS = 86_400_000
const document = { version: 0, served: 0, body: '{"flags":[],"group_type_mapping":{},"cohorts":{}}', keys: [] }

const server = http.createServer((request, response) => {
  const etag = `W/"${document.version}"`
  const unchanged = request.headers['if-none-match'] === etag
  document.served = document.version
  response.writeHead(unchanged ? 304 : 200, { ETag: etag, 'Content-Type': 'application/json' })
  response.end(unchanged ? '' : document.body)
})

// The SDK's error events are how it reports an evaluator that raised.
let errors = 0
let client

const operations = {
  describe: () => ({ name: 'posthog-node', version, capabilities: ['local_evaluation', 'payloads', 'clock'] }),

  async load({ definitions }) {
    document.body = JSON.stringify(definitions)
    document.keys = (definitions.flags ?? []).map((flag) => flag.key)
    document.version += 1
    await client.reloadFeatureFlags()
    if (document.served !== document.version) throw new Error('the SDK did not fetch the definitions')
    return { ok: true }
  },

  async evaluate({ context, flag_keys: asked }) {
    instant = context.now === undefined ? null : MachineDate.parse(context.now)
    const before = errors
    const flags = await ask(context, asked ?? undefined)
    const raised = errors > before
    for (const key of document.keys) {
      if (key in flags || (asked && !asked.includes(key))) continue
      flags[key] = raised ? await declined(context, key) : { status: 'inconclusive' }
    }
    instant = null
    return { flags }
  },
}

async function ask(context, flagKeys) {
  const device = context.device_id ? { $device_id: context.device_id } : {}
  const { featureFlags, featureFlagPayloads } = await client.getAllFlagsAndPayloads(context.distinct_id, {
    groups: context.groups,
    personProperties: { ...device, ...context.person_properties },
    groupProperties: context.group_properties,
    onlyEvaluateLocally: true,
    flagKeys,
  })
  const flags = Object.create(null)
  for (const [key, value] of Object.entries(featureFlags)) {
    if (value === undefined) continue
    flags[key] = { status: 'value', value, payload: featureFlagPayloads[key] ?? null }
  }
  return flags
}

// Some flag of this person raised: find out whether it was this one.
async function declined(context, key) {
  const before = errors
  await ask(context, [key])
  return { status: errors > before ? 'failed' : 'inconclusive' }
}

async function answer(line) {
  let id = null
  try {
    const request = JSON.parse(line)
    id = request.id ?? null
    return { id, ...(await operations[request.op](request)) }
  } catch (error) {
    return { id, error: { kind: error.name ?? 'Error', message: String(error.message ?? error) } }
  }
}

async function main() {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  client = new PostHog('phc_driver', {
    host: `http://127.0.0.1:${server.address().port}`,
    personalApiKey: 'phx_driver',
    featureFlagsPollingInterval: POLL_NEVER_MS,
    disableGeoip: true,
  })
  client.on('error', () => { errors += 1 })
  await client.reloadFeatureFlags() // The constructor polls at once, and a later reload would join that poll.
  for await (const line of readline.createInterface({ input: process.stdin, terminal: false })) {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`)
  }
  process.exit(0)
}

main()
