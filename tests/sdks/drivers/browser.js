// A web page that uses posthog-js in headless Chromium: carries out one JSON line after the other. Only the host is ours to choose.
// The page comes from an origin of its own, so every call to the host is a cross-origin one with real CORS.
// Arguments: <folder that holds node_modules> <path of Chromium>.
'use strict'

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const readline = require('node:readline')
const { createRequire } = require('node:module')

const lane = path.resolve(process.argv[2])
const { chromium } = createRequire(path.join(lane, 'resolve.js'))('playwright-core')
const bundle = fs.readFileSync(path.join(lane, 'node_modules/posthog-js/dist/array.full.js'))

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
]
const PAGE = '<!doctype html><meta charset="utf-8"><title>page</title><script src="/array.full.js"></script>'

const pages = {}
let browser
let origin

const site = http.createServer((request, response) => {
  if (request.url === '/') return response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE)
  if (request.url === '/array.full.js') return response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(bundle)
  response.writeHead(404).end()
})

// Runs in the page: initialise the SDK and wait for its first flags, good or bad.
const begin = ({ host, token, person }) => new Promise((resolve) => {
  window.sent = []
  window.posthog.init(token, {
    api_host: host,
    bootstrap: { distinctID: person.distinct_id, isIdentifiedID: true },
    opt_out_useragent_filter: true, // Headless Chromium counts as a bot; nothing but this says otherwise.
    autocapture: false,
    capture_pageview: false,
    disable_session_recording: true,
    request_batching: false,
    before_send: (event) => { window.sent.push(event); return event },
  })
  window.posthog.setPersonPropertiesForFlags(person.person_properties ?? {}, false)
  for (const [type, key] of Object.entries(person.groups ?? {})) window.posthog.group(type, key)
  window.posthog.setGroupPropertiesForFlags(person.group_properties ?? {}, false) // `group` forgets the ones of another key.
  window.posthog.onFeatureFlags(() => resolve())
})

// Runs in the page: ask again, wait for the answer to a request begun after this call, and tell what an application sees.
const ask = async () => {
  const { status } = await window.posthog.featureFlags.reloadFeatureFlagsAsync()
  const flags = window.posthog.featureFlags.getFlagVariants()
  const payloads = {}
  for (const key of Object.keys(flags)) {
    const payload = window.posthog.getFeatureFlagPayload(key)
    if (payload !== undefined && payload !== null) payloads[key] = payload
  }
  return { flags, payloads, asked: status !== 'skipped' }
}

const operations = {
  async start({ name, host, token, person }) {
    const page = await (await browser.newContext()).newPage()
    pages[name] = page
    await page.goto(origin)
    await page.evaluate(begin, { host, token, person })
    return {}
  },
  flags: ({ name }) => pages[name].evaluate(ask),
  flag: ({ name, key }) => pages[name].evaluate((flagKey) => {
    window.sent.length = 0
    const value = window.posthog.getFeatureFlag(flagKey)
    const called = window.sent.findLast((event) => event.event === '$feature_flag_called')
    return { value: value ?? null, error: called?.properties.$feature_flag_error ?? null }
  }, key),
  async capture({ name, event }) {
    await pages[name].evaluate((eventName) => { window.posthog.capture(eventName, { source: 'sdk' }) }, event)
    return {}
  },
}

async function main() {
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${site.address().port}/`
  browser = await chromium.launch({ executablePath: process.argv[3], headless: true, args: FLAGS })
  for await (const line of readline.createInterface({ input: process.stdin, terminal: false })) {
    const { op, ...request } = JSON.parse(line)
    const answer = await operations[op](request).catch((error) => ({ raised: String(error) }))
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  await browser.close()
  process.exit(0)
}

main()
