// Runs one scenario, named by the first argument, against the server at the second, which serves the third,
// with the protos in the folder that is the fourth.
import assert from 'node:assert/strict';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import protobuf from 'protobufjs';

const [scenario, address, model, protos] = process.argv.slice(2);
const definition = loader.loadSync('dera/v1/inference.proto',
  { includeDirs: [protos], keepCase: true, longs: Number, enums: String, bytes: Buffer, defaults: true, oneofs: true });
const { InferenceService } = grpc.loadPackageDefinition(definition).dera.v1;
const client = new InferenceService(address, grpc.credentials.createInsecure());
const says = 'one STOP two, 世界';
const prompt = { text: 'Once' };

// The public shapes of google.rpc, as far as they are looked at here.
const { root: rpc } = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message BadRequest { message FieldViolation { string field = 1; string description = 2; } repeated FieldViolation field_violations = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message ResourceInfo { string resource_type = 1; string resource_name = 2; string owner = 3; string description = 4; }
`, { keepCase: true });

function call(request, options = {}) {
  return new Promise((resolve, reject) => client.Generate(request, options, (error, answer) => error ? reject(error) : resolve(answer)));
}

async function stream(request, options = {}) {
  const events = [];
  for await (const event of client.GenerateStream(request, options)) events.push(event);
  return events;
}

/** The details of a status, by the name of their type. */
function details(error) {
  const status = rpc.lookupType('google.rpc.Status').decode(error.metadata.get('grpc-status-details-bin')[0]);
  assert.equal(status.code, error.code);
  assert.equal(status.message, error.details);
  return Object.fromEntries(status.details.map(detail => {
    const name = detail.type_url.split('/')[1];
    return [name, rpc.lookupType(name).decode(detail.value)];
  }));
}

async function refused(pending, code) {
  const error = await pending.then(() => assert.fail('was answered'), error => error);
  assert.equal(error.code, code, `${error}`);
  return error;
}

async function refusedField(request, code, field) {
  for (const send of [call, stream])
    assert.deepEqual(details(await refused(send(request), code))['google.rpc.BadRequest'].field_violations.map(entry => entry.field), [field]);
}

const scenarios = {
  async generate() {
    const answer = await call({ prompt, options: { max_tokens: 50, logprobs: 2, n: 2, seed: 5 } });
    assert.deepEqual([answer.model, answer.seed, answer.alignment_strength], ['pair', 5, 1]);
    assert.deepEqual(answer.choices.map(choice => [choice.index, choice.text, choice.finish_reason]),
      [0, 1].map(index => [index, says, 'FINISH_REASON_STOP']));
    const [{ tokens }] = answer.choices;
    assert.equal(Buffer.concat(tokens.map(token => token.bytes)).toString(), says);
    assert.ok(tokens.every(token => token.logprob < 0 && token.alternatives.length === 2));
    assert.deepEqual(answer.usage, { prompt_tokens: 5, completion_tokens: 42, cached_tokens: 0 });
    const stopped = await call({ prompt, options: { max_tokens: 50, stop: ['STOP'] } });
    assert.deepEqual([stopped.choices[0].text, stopped.choices[0].stop], ['one ', 'STOP']);
    const chat = await call({ prompt: { messages: { messages: [{ role: 'ROLE_USER', content: 'Hello' }] } } });
    assert.equal(chat.choices[0].text, says);
  },

  async stream() {
    const events = await stream({ prompt, options: { max_tokens: 50, alignment_strength: 0.5 } });
    assert.equal(events[0].event, 'started');
    assert.deepEqual([events[0].started.alignment_strength, events[0].started.prompt_tokens], [0.5, 5]);
    assert.equal(events.slice(1, -1).map(event => event.delta.text).join(''), says);
    assert.deepEqual([events.at(-1).finished.finish_reason, events.at(-1).finished.usage.completion_tokens], ['FINISH_REASON_STOP', 21]);
  },

  async strength() {
    const seen = new Set();
    for (const strength of [0, 0.5, 1.5]) {
      const options = { seed: 23, max_tokens: 60 };
      const field = await call({ prompt, options: { ...options, alignment_strength: strength } });
      const name = await call({ prompt, options, model: `${model}@${strength}` });
      assert.equal(field.choices[0].text, name.choices[0].text);
      assert.deepEqual([field.alignment_strength, name.alignment_strength], [strength, strength]);
      seen.add(field.choices[0].text);
    }
    assert.equal(seen.size, 3);
  },

  async errors() {
    const { INVALID_ARGUMENT, NOT_FOUND } = grpc.status;
    await refusedField({ prompt, options: { alignment_strength: 99 } }, INVALID_ARGUMENT, 'options.alignment_strength');
    await refusedField({ prompt, options: { temperature: NaN } }, INVALID_ARGUMENT, 'options.temperature');
    await refusedField({}, INVALID_ARGUMENT, 'prompt');
    await refusedField({ prompt, model: 'other' }, NOT_FOUND, 'model');
    assert.equal(details(await refused(call({ prompt, model: 'other' }), NOT_FOUND))['google.rpc.ResourceInfo'].resource_type, 'model');
  },

  async chat() {
    const conversation = { messages: [{ role: 'ROLE_USER', content: 'Hello' }] };
    const whole = await new Promise((resolve, reject) =>
      client.Chat({ conversation, options: { n: 2 } }, (error, answer) => error ? reject(error) : resolve(answer)));
    assert.deepEqual(whole.choices.map(choice => [choice.message.role, choice.message.content]), Array(2).fill(['ROLE_ASSISTANT', says]));
    const events = [];
    for await (const event of client.ChatStream({ conversation })) events.push(event);
    assert.equal(events.map(event => event.delta?.text ?? '').join(''), says);
    const { token_ids } = await new Promise((resolve, reject) =>
      client.Tokenize({ prompt: { text: says } }, (error, answer) => error ? reject(error) : resolve(answer)));
    const { text } = await new Promise((resolve, reject) =>
      client.Detokenize({ token_ids, skip_special_tokens: true }, (error, answer) => error ? reject(error) : resolve(answer)));
    assert.equal(text, says);
  },

  async converse() {
    const running = client.Converse();
    const events = [];
    running.write({ start: { prompt, options: { max_tokens: 1000000, alignment_strength: 0 } } });
    for await (const event of running) {
      events.push(event);
      if (event.event === 'started') running.write({ change: { alignment_strength: 0.5 } });
      if (event.event === 'changed') running.write({ stop: {} });
    }
    running.end();
    assert.equal(events[0].started.alignment_strength, 0);
    assert.deepEqual(events.filter(event => event.event === 'changed').map(event => event.changed.alignment_strength), [0.5]);
    assert.equal(events.at(-1).finished.finish_reason, 'FINISH_REASON_CANCELLED');

    const refusing = client.Converse();
    refusing.write({ start: { prompt, options: { max_tokens: 1000000 } } });
    refusing.write({ change: { alignment_strength: 99 } });
    const drained = (async () => { for await (const _ of refusing); })();
    const error = await refused(drained, grpc.status.INVALID_ARGUMENT);
    assert.deepEqual(details(error)['google.rpc.BadRequest'].field_violations.map(entry => entry.field), ['change.alignment_strength']);
  },

  async deadline() {
    const late = () => ({ deadline: Date.now() + 300 });
    await refused(call({ prompt, options: { max_tokens: 1000000 } }, late()), grpc.status.DEADLINE_EXCEEDED);
    await refused(stream({ prompt, options: { max_tokens: 1000000 } }, late()), grpc.status.DEADLINE_EXCEEDED);
  },

  async cancel() {
    const running = client.GenerateStream({ prompt, options: { max_tokens: 1000000 } });
    let pieces = 0;
    const error = await new Promise(resolve => running.on('error', resolve).on('data', event => {
      if (event.event === 'delta' && ++pieces === 3) running.cancel();
    }));
    assert.equal(error.code, grpc.status.CANCELLED);
    const whole = client.Generate({ prompt, options: { max_tokens: 1000000 } }, () => {});
    whole.cancel();
  },

  async loading() {
    const error = await refused(call({ prompt }), grpc.status.UNAVAILABLE);
    assert.ok(Number(details(error)['google.rpc.RetryInfo'].retry_delay.seconds) > 0);
    console.log('refused');
    for (;;) {
      const answer = await call({ prompt }).catch(error => assert.equal(error.code, grpc.status.UNAVAILABLE));
      if (answer) return assert.equal(answer.choices[0].text, 'here');
    }
  },
};

await scenarios[scenario]();
client.close();
