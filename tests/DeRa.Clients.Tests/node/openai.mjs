// Runs one scenario, named by the first argument, against the server at the second, which serves the third, with the fourth as
// key where it needs one; throws where something is not as it must be.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [scenario, server, model, key] = process.argv.slice(2);
const says = 'one STOP two, 世界';
const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello' }];
const client = new OpenAI({ apiKey: 'none', baseURL: `${server}v1` });

async function all(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

async function raw(path, body) {
  const headers = { 'content-type': 'application/json' };
  return (await fetch(`${server}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
}

/** Rejects with an error of the client's class and with what it knows of it. */
async function refused(call, type, status, param, code) {
  await assert.rejects(call, error => {
    assert.ok(error instanceof type, `${error}`);
    assert.deepEqual([error.status, error.param, error.code, error.type], [status, param, code, 'invalid_request_error']);
    assert.match(error.requestID, /.+/);
    return true;
  });
}

/** A client that refusals with this status make do something else than wait; for how long it would have waited is noted. */
function watched(status, instead) {
  const [sleep, delays] = [globalThis.setTimeout, []];
  let isRefused = false;
  globalThis.setTimeout = (callback, milliseconds, ...rest) => {
    if (!isRefused) return sleep(callback, milliseconds, ...rest);
    isRefused = false;
    delays.push(milliseconds);
    return instead().then(() => callback(...rest));
  };
  const watching = async (...call) => {
    const response = await fetch(...call);
    isRefused = response.status === status;
    return response;
  };
  return { patient: client.withOptions({ fetch: watching, maxRetries: 1000 }), delays };
}

const scenarios = {
  async chat() {
    const whole = await client.chat.completions.create({ model, messages, max_completion_tokens: 50 });
    assert.equal(whole.choices[0].message.content, says);
    assert.equal(whole.choices[0].message.refusal, null);
    assert.equal(whole.choices[0].finish_reason, 'stop');
    assert.equal(whole.usage.completion_tokens, 21);
    assert.deepEqual(whole.usage.prompt_tokens_details, { cached_tokens: 0 });

    const chunks = await all(await client.chat.completions.create(
      { model, messages, max_tokens: 50, stream: true, stream_options: { include_usage: true } }));
    assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '' });
    assert.equal(chunks.map(chunk => chunk.choices[0]?.delta.content ?? '').join(''), says);
    assert.deepEqual(chunks.at(-1).choices, []);
    // The second time the prompt may be in the prefix cache.
    const { prompt_tokens_details: details, ...usage } = chunks.at(-1).usage;
    assert.deepEqual({ ...usage, prompt_tokens_details: whole.usage.prompt_tokens_details }, whole.usage);
    assert.ok(details.cached_tokens >= 0 && details.cached_tokens < usage.prompt_tokens);
    assert.equal(new Set(chunks.map(chunk => chunk.id)).size, 1);

    // The helper that puts a stream together again is strict about what a stream may hold.
    const helper = client.chat.completions.stream({ model, messages, max_tokens: 50 });
    assert.equal(await helper.finalContent(), says);
    assert.equal((await helper.finalChatCompletion()).choices[0].finish_reason, 'stop');

    const earlier = [...messages, whole.choices[0].message, { role: 'user', content: [{ type: 'text', text: 'Again' }] }];
    assert.equal((await client.chat.completions.create({ model, messages: earlier, max_tokens: 50 })).choices[0].message.content, says);
  },

  async completions() {
    const whole = await client.completions.create({ model, prompt: 'Once', max_tokens: 50, echo: true });
    assert.equal(whole.choices[0].text, `Once${says}`);
    const prompts = await client.completions.create({ model, prompt: ['a', 'b'], max_tokens: 3, n: 2 });
    assert.deepEqual(prompts.choices.map(choice => [choice.index, choice.text, choice.finish_reason]),
      [0, 1, 2, 3].map(index => [index, 'one', 'length']));
    const chunks = await all(await client.completions.create({ model, prompt: [1, 2], max_tokens: 50, stream: true }));
    assert.equal(chunks.map(chunk => chunk.choices[0].text).join(''), says);
    assert.ok(chunks.length > 10);
  },

  async logprobs() {
    const chat = { model, messages, max_tokens: 50, logprobs: true, top_logprobs: 2 };
    const { content } = (await client.chat.completions.create(chat)).choices[0].logprobs;
    const bytes = content.flatMap(token => token.bytes ?? []);
    assert.equal(Buffer.from(bytes).toString(), says);
    assert.ok(content.every(token => token.logprob < 0 && token.top_logprobs.length === 2));
    const chunks = await all(await client.chat.completions.create({ ...chat, stream: true }));
    assert.deepEqual(chunks.flatMap(chunk => chunk.choices[0].logprobs?.content ?? []), content);

    const { logprobs } = (await client.completions.create({ model, prompt: 'ab', max_tokens: 3, logprobs: 1, echo: true })).choices[0];
    assert.deepEqual(logprobs.tokens.slice(-5), ['a', 'b', 'o', 'n', 'e']);
    assert.equal(logprobs.token_logprobs[0], null);
    assert.deepEqual(logprobs.text_offset.slice(-3), [2, 3, 4]);
  },

  async stop() {
    for (const stop of ['STOP', ['never', 'STOP']]) {
      const request = { model, prompt: 'a', max_tokens: 50, stop };
      assert.equal((await client.completions.create(request)).choices[0].text, 'one ');
      const chunks = await all(await client.completions.create({ ...request, stream: true }));
      assert.equal(chunks.map(chunk => chunk.choices[0].text).join(''), 'one ');
    }
  },

  async models() {
    const listed = await all(await client.models.list());
    assert.deepEqual(listed.map(entry => entry.id), ['pair', 'pair-reference', 'pair-aligned']);
    assert.equal((await client.models.retrieve('pair-aligned')).id, 'pair-aligned');
    await refused(client.models.retrieve('other'), OpenAI.NotFoundError, 404, 'model', 'model_not_found');
  },

  async errors() {
    let attempts = 0;
    const counted = client.withOptions({ fetch: (...call) => { attempts++; return fetch(...call); } });
    const { completions } = counted.chat;
    await refused(completions.create({ model, messages, temperature: 3 }), OpenAI.BadRequestError, 400, 'temperature', null);
    await refused(completions.create({ model, messages, stream: true, n: 0 }), OpenAI.BadRequestError, 400, 'n', null);
    await refused(completions.create({ model, messages, max_tokens: 10000 }), OpenAI.BadRequestError, 400, 'max_tokens', 'context_length_exceeded');
    await refused(completions.create({ model: 'gpt-5', messages }), OpenAI.NotFoundError, 404, 'model', 'model_not_found');
    await refused(completions.create({ model, messages, alignment_strength: 99 }), OpenAI.BadRequestError, 400, 'alignment_strength', null);
    await refused(completions.create({ model, messages, lamda: 0.5 }), OpenAI.BadRequestError, 400, 'lamda', null);
    assert.equal(attempts, 6);
    const { response } = await client.chat.completions.create({ model, messages, colour: 'red' }).withResponse();
    assert.equal(response.headers.get('x-ignored-fields'), 'colour');
  },

  async choices() {
    const texts = async seed => {
      const { choices } = await client.chat.completions.create({ model, messages, n: 3, seed, max_tokens: 12 });
      return choices.map(choice => choice.message.content);
    };
    const first = await texts(7);
    assert.equal(new Set(first).size, 3);
    assert.deepEqual(await texts(7), first);
    assert.notDeepEqual(await texts(8), first);
    const chunks = await all(await client.chat.completions.create({ model, messages, n: 3, seed: 7, max_tokens: 12, stream: true }));
    const streamed = ['', '', ''];
    for (const { choices: [choice] } of chunks) streamed[choice.index] += choice.delta.content ?? '';
    assert.deepEqual(streamed, first);
  },

  async strength() {
    const seen = new Set();
    for (const strength of [0, 0.5, 1.5]) {
      const common = { prompt: 'Lily lost her toy.', seed: 23, max_tokens: 60 };
      const expected = await raw('v1/completions', { ...common, lambda: strength });
      const field = await client.completions.create({ ...common, model, alignment_strength: strength });
      const name = await client.completions.create({ ...common, model: `${model}@${strength}` });
      assert.deepEqual([field, name].map(answer => answer.choices[0].text), [expected.choices[0].text, expected.choices[0].text]);
      assert.deepEqual([field.alignment_strength, name.alignment_strength, name.model], [strength, strength, `${model}@${strength}`]);
      seen.add(expected.choices[0].text);
    }
    assert.equal(seen.size, 3);
  },

  async change() {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ model, prompt: 'a', max_tokens: 1000000, stream: true, alignment_strength: 0 });
    const response = await fetch(`${server}v1/completions`, { method: 'POST', headers, body });
    const path = `v1/realignment/generations/${response.headers.get('x-generation-id')}`;
    const { stopped, choices: [{ index, from_token: from }] } = await raw(path, { alignment_strength: 2 });
    assert.deepEqual([stopped, index], [false, 0]);
    assert.deepEqual(await raw(path, { stop: true }), { stopped: true, choices: [] });
    const events = (await response.text()).split('\n\n').filter(event => event.startsWith('data: {'));
    const chunks = events.map(event => JSON.parse(event.slice('data: '.length)));
    assert.ok(path.endsWith(`/${chunks[0].generation_id}`));
    assert.ok(chunks.slice(1).every(chunk => chunk.generation_id === undefined));
    // Each chunk is a token and says at which strength, once that has changed.
    assert.deepEqual(chunks.map(({ choices: [choice] }) => choice.alignment_strength),
      chunks.map((_, place) => place < from ? undefined : 2));
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
    assert.equal((await raw(path, { alignment_strength: 1 })).error.code, 'generation_not_found');
  },

  async leave() {
    const stream = await client.completions.create({ model, prompt: 'a', max_tokens: 1000000, stream: true });
    for await (const chunk of stream) if (chunk.choices[0].text) break;
    const other = await client.chat.completions.create({ model, messages, stream: true });
    other.controller.abort();
    const abort = new AbortController();
    const call = client.chat.completions.create({ model, messages }, { signal: abort.signal });
    abort.abort();
    await assert.rejects(call, OpenAI.APIUserAbortError);
  },

  async broken() {
    const seen = [];
    await assert.rejects(async () => {
      for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) seen.push(chunk);
    }, error => error instanceof OpenAI.APIError && error.type === 'server_error');
    assert.ok(seen.length > 0 && seen.every(chunk => chunk.choices[0].finish_reason === null));
  },

  async loading() {
    const { patient, delays } = watched(503, async () => {
      console.log('refused');
      while (!(await fetch(`${server}readyz`)).ok);
    });
    const answer = await patient.chat.completions.create({ model, messages, max_tokens: 50 });
    assert.equal(answer.choices[0].message.content, says);
    assert.deepEqual(delays, [5000]);
  },

  async keys() {
    let attempts = 0;
    const counted = client.withOptions({ fetch: (...call) => { attempts++; return fetch(...call); } });
    for (const call of [() => counted.models.list(), () => counted.chat.completions.create({ model, messages, stream: true })])
      await assert.rejects(call, error => error instanceof OpenAI.AuthenticationError
        && error.code === 'invalid_api_key' && error.type === 'authentication_error');
    assert.equal(attempts, 2);
    const answer = await counted.withOptions({ apiKey: key }).chat.completions.create({ model, messages });
    assert.equal(answer.choices[0].message.content, 'fine');
  },

  async limited() {
    const endless = { model, prompt: 'a', max_tokens: 100000 };
    const running = await client.completions.create({ ...endless, stream: true });
    await running[Symbol.asyncIterator]().next();
    const impatient = client.withOptions({ maxRetries: 0 });
    await assert.rejects(impatient.completions.create(endless), error => error instanceof OpenAI.RateLimitError
      && error.type === 'rate_limit_error' && error.headers.get('retry-after') === '1');
    // The server lets go of the one that left a little after it has left.
    const { patient, delays } = watched(429, async () => running.controller.abort());
    assert.equal((await patient.completions.create({ ...endless, max_tokens: 3 })).usage.completion_tokens, 3);
    assert.equal(delays[0], 1000);
  },
};

await scenarios[scenario]();
