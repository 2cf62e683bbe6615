// What the scripts of both clients share: the command line, steps, and expectations.
//
//   node <client>.mjs EXAMPLE URL
//   node <client>.mjs EXAMPLE PROGRAM [ARGUMENT...]
//
// One JSON line a step that went well on standard output. The first surprise ends the script with exit code 1 and a word
// on standard error; so does a script that takes longer than two minutes.
import assert from 'node:assert/strict';

export { assert };

const [example, target, ...programArguments] = process.argv.slice(2);

/** Where the server is: `{ url }`, or `{ command, args }` for a program that speaks on its standard streams. */
export const server = /^https?:/.test(target ?? '')
  ? { url: new URL(target) }
  : { command: target, args: programArguments };

export const overHttp = server.url !== undefined;

/** Does one thing, and tells what came of it. */
export async function step(name, work) {
  const told = await work();
  console.log(JSON.stringify({ step: name, ...(told === undefined ? {} : { told }) }));
}

/** The text of a result's first item. */
export const text = (result) => result.content[0].text;

/** That the call is refused with this JSON-RPC code. */
export async function refused(code, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.code, code, `refused otherwise than with ${code}: ${error}`);
    return true;
  });
}

/** A promise, and the function that fulfils it. */
export function signal() {
  let fulfil;
  const promise = new Promise((resolve) => { fulfil = resolve; });
  return { promise, fulfil };
}

/** Gets, reads and completes what `everything` offers. What is not there is another error on each wire. */
export async function offers(client, resourceNotFound) {
  await step('prompts', async () => {
    const { prompts } = await client.listPrompts();
    const { messages } = await client.getPrompt({
      name: 'test_prompt_with_arguments',
      arguments: { arg1: 'left', arg2: 'right' },
    });
    assert.equal(messages[0].content.text, "Prompt with arguments: arg1='left', arg2='right'");
    await refused(-32602, client.getPrompt({ name: 'nowhere' }));
    return prompts.map((prompt) => prompt.name);
  });
  await step('resources', async () => {
    const { resources } = await client.listResources();
    const { resourceTemplates } = await client.listResourceTemplates();
    assert.ok(resourceTemplates.some((template) => template.uriTemplate === 'test://template/{id}/data'));
    const [read] = (await client.readResource({ uri: 'test://static-text' })).contents;
    assert.equal(read.text, 'This is the content of the static text resource.');
    const [templated] = (await client.readResource({ uri: 'test://template/123/data' })).contents;
    assert.equal(JSON.parse(templated.text).id, '123');
    await refused(resourceNotFound, client.readResource({ uri: 'test://nowhere' }));
    return resources.map((resource) => resource.uri);
  });
  await step('completion', async () => {
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
      argument: { name: 'arg1', value: 'test' },
    });
    return completion.values;
  });
}

/** Runs the scenario that was asked for. */
export async function main(scenarios) {
  const scenario = scenarios[example];
  if (!scenario || !target) {
    console.error(`usage: EXAMPLE (URL | PROGRAM [ARGUMENT...]), with EXAMPLE one of ${Object.keys(scenarios).join(', ')}`);
    process.exit(2);
  }
  setTimeout(() => {
    console.error('the script hangs: two minutes have passed');
    process.exit(1);
  }, 120_000).unref();
  process.on('unhandledRejection', (error) => {
    console.error('a rejection that nobody handled:', error);
    process.exit(1);
  });
  try {
    await scenario();
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
  console.log(JSON.stringify({ step: 'end' }));
  // A client that is closed may still hold a socket for the next request.
  process.exit(0);
}
