// The AI SDK's provider for endpoints like OpenAI's, unchanged, against the service at DITTO_URL.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, streamText } from "ai";
import { z } from "zod";

const ditto = createOpenAICompatible({
  name: "ditto",
  baseURL: `${process.env.DITTO_URL}/v1`,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const model = ditto("default");
const prompt = "What is 17 * 23?";

test("a question is answered by the panel", async () => {
  const { text, usage, finishReason, response } = await generateText({ model, prompt });

  assert.match(text, /391/);
  assert.equal(finishReason, "stop");
  assert.ok(usage.totalTokens > 0);
  assert.equal(response.body.ditto.structured.answer, 391);
});

test("a consensus is streamed", async () => {
  const result = streamText({ model, prompt });
  let text = "";
  for await (const piece of result.textStream) text += piece;

  assert.match(text, /391/);
  assert.ok((await result.usage).totalTokens > 0);
});

test("a typed answer is parsed", async () => {
  const schema = z.object({ order_number: z.string(), currency: z.enum(["EUR", "USD"]), total: z.number() });
  const { output } = await generateText({
    model,
    output: Output.object({ schema }),
    prompt: "Read this order. Order PO-2291 of 3 March 2026, currency EUR. Total: 31.00",
  });

  assert.deepEqual(output, { order_number: "PO-2291", currency: "EUR", total: 31 });
});
