// OpenAI's own client for Node, unchanged, against the service at DITTO_URL; DITTO_SIM is where its simulated models are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const client = new OpenAI({ baseURL: `${process.env.DITTO_URL}/v1`, apiKey: "none" });
const messages = [{ role: "user", content: "What is 17 * 23?" }];
const order = "Read this order. Order PO-2291 of 3 March 2026, currency EUR. Total: 31.00";
const Order = z.object({ order_number: z.string(), currency: z.enum(["EUR", "USD"]), total: z.number() });
const read = { order_number: "PO-2291", currency: "EUR", total: 31 };

async function endedAs(model, ending) {
  const counts = await (await fetch(`${process.env.DITTO_SIM}/sim/counts`)).json();
  return counts.models[model]?.[ending] ?? 0;
}

async function comes(happened) {
  for (let tries = 0; tries < 200; tries++) {
    if (await happened()) return true;
    await pause(100);
  }
  return false;
}

test("a question is answered by the panel", async () => {
  const { data, response } = await client.chat.completions.create({ model: "default", messages }).withResponse();

  assert.match(data.choices[0].message.content, /391/);
  assert.equal(data.ditto.structured.answer, 391);
  assert.equal(response.headers.get("x-ditto-job-id"), data.ditto.jobId);
});

test("a consensus is streamed, and its tokens come last", async () => {
  const stream = await client.chat.completions.create({
    model: "default",
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);

  const text = chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.delta.content ?? "").join("");
  assert.match(text, /391/);
  assert.equal(chunks.at(-2).ditto.result, text);
  assert.ok(chunks.at(-1).usage.total_tokens > 0);
});

test("a typed answer is parsed, whole and from a stream", async () => {
  const asked = {
    model: "default",
    messages: [{ role: "user", content: order }],
    response_format: zodResponseFormat(Order, "order"),
  };

  const whole = await client.chat.completions.parse(asked);
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion();

  assert.deepEqual(whole.choices[0].message.parsed, read);
  assert.deepEqual(streamed.choices[0].message.parsed, read);
});

test("errors have their own classes", async () => {
  await assert.rejects(client.chat.completions.create({ model: "gpt-x", messages }), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, "model_not_found");
    return true;
  });
  await assert.rejects(client.chat.completions.create({ model: "default", messages, n: 2 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "n");
    return true;
  });
});

test("a settled failure is not paid twice", async () => {
  const model = "shy+fail=400";
  const before = await endedAs(model, "failed");

  await assert.rejects(
    client.chat.completions.create({ model: `sim/${model}`, messages }, { maxRetries: 3 }),
    OpenAI.InternalServerError,
  );

  assert.equal(await endedAs(model, "failed"), before + 1);
});

test("one key is one job", async () => {
  const options = { headers: { "Idempotency-Key": "openai-node-1" } };
  const first = await client.chat.completions.create({ model: "sim/terse", messages }, options);
  const second = await client.chat.completions.create({ model: "sim/terse", messages }, options);

  assert.equal(first.ditto.jobId, second.ditto.jobId);
});

// Of three clients that leave one at least is heard: the ingress, busy, now and then overlooks one.
test("who leaves a stream in the middle cancels the rest", async () => {
  const hung = "json+hang";
  const before = await endedAs(hung, "aborted");

  for (let left = 0; left < 3; left++) {
    const stream = await client.chat.completions.create({
      model: `ditto/consensus:sim/terse,sim/${hung}`,
      messages,
      stream: true,
      ditto: { stream: "first" },
    });
    for await (const chunk of stream) {
      if (chunk.choices[0].delta.content === "391") break;
    }
  }

  assert.ok(await comes(async () => (await endedAs(hung, "aborted")) > before));
});

test("models are listed and found", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);

  assert.ok(names.includes("default") && names.includes("sim/terse"));
  assert.equal((await client.models.retrieve("sim/terse")).owned_by, "sim");
});

test("responses are answered, streamed and parsed", async () => {
  const plain = await client.responses.create({ model: "default", input: "What is 17 * 23?" });
  const kinds = [];
  for await (const event of await client.responses.create({ model: "default", input: "What is 17 * 23?", stream: true })) {
    kinds.push(event.type);
  }
  const typed = await client.responses.parse({
    model: "default",
    input: order,
    text: { format: zodTextFormat(Order, "order") },
  });

  assert.match(plain.output_text, /391/);
  assert.equal(kinds[0], "response.created");
  assert.equal(kinds.at(-1), "response.completed");
  assert.deepEqual(typed.output_parsed, read);
});
