// The existing client of this contract, as it was written for another service: one POST, and it reads what comes.

import assert from "node:assert/strict";
import { test } from "node:test";

class MergeError extends Error {
  constructor({ type, message, details }) {
    super(message);
    this.type = type;
    this.details = details;
  }
}

// Its validators do not survive JSON: whatever schema it is given goes out as {}.
class Client {
  constructor(url) {
    this.url = url;
  }

  async ask({ prompt, models, strategy = "consensus", temperature, maxRetries, timeout, metadata, schema }) {
    const body = JSON.stringify({ prompt, models, strategy, temperature, maxRetries, timeout, metadata, schema });
    const response = await fetch(this.url, { method: "POST", headers: { "content-type": "application/json" }, body });
    const payload = await response.json();
    if (!response.ok) throw new MergeError(payload.error);
    return payload;
  }
}

class Validator {
  #check = (value) => typeof value === "string";
  parse(value) {
    assert(this.#check(value));
    return value;
  }
}

const client = new Client(`${process.env.DITTO_URL}/llm`);
const models = ["sim/terse", "sim/wordy", "sim/contrary"];

test("it reads every field that it knows", async () => {
  const answer = await client.ask({ prompt: "What is 17 * 23?", models, metadata: { user: "42" } });

  assert.match(answer.result, /391/);
  assert.deepEqual(Object.keys(answer.responses), models);
  assert(Object.values(answer.responses).every((reply) => typeof reply === "string"));
  const { summary, intent, confidence, needsClarification, supportingModels, responses } = answer.structured;
  assert.equal(typeof summary, "string");
  assert.equal(intent, "answer");
  assert(confidence > 0 && confidence <= 1);
  assert.equal(needsClarification, false);
  assert.deepEqual(supportingModels, ["sim/terse", "sim/wordy"]);
  assert.deepEqual(responses.map((each) => each.model), models);
  for (const each of responses) {
    assert.equal(each.raw, answer.responses[each.model]);
    assert.equal(typeof each.summary, "string");
    assert.equal(each.intent, "answer");
    assert(each.confidence >= 0 && each.confidence <= 1);
  }
  const { total, fanout, slowest, merge } = answer.timings;
  assert([total, fanout, slowest, merge].every(Number.isFinite));
  assert(total >= slowest);
  assert.deepEqual(answer.metadata, { user: "42" });
});

test("a schema object that does not survive JSON means text", async () => {
  const schema = new Validator();
  assert.equal(JSON.stringify(schema), "{}");

  const answer = await client.ask({ prompt: "What is 6 * 7?", models, schema, temperature: 0.2, maxRetries: 1 });

  assert.match(schema.parse(answer.result), /42/);
});

test("one model after the other", async () => {
  const answer = await client.ask({ prompt: "What is 6 * 7?", models, strategy: "cooperative" });

  assert.equal(answer.state, "complete");
  assert.equal(answer.structured.confidence, null);
});

test("what fails comes as an error with type, message and details", async () => {
  const wrong = await client.ask({ prompt: " ", models: [] }).catch((error) => error);
  const dead = await client
    .ask({ prompt: "Hello?", models: ["sim/terse+dead"], maxRetries: 0, timeout: 5000 })
    .catch((error) => error);

  assert(wrong instanceof MergeError && dead instanceof MergeError);
  assert.equal(wrong.type, "BadRequest");
  assert.deepEqual(wrong.details.map((detail) => detail.path).sort(), ["models", "prompt"]);
  assert.equal(dead.type, "JobError");
  assert.deepEqual(Object.keys(dead.details), ["sim/terse+dead"]);
  assert(dead.message.length > 0);
});
