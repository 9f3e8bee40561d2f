/**
 * What the conformance suite of MCP wants a server to offer, so that the suite runs against our sessions, our server and
 * our port. Names and texts are the suite's.
 *
 * @module
 */

import type {
  Catalogue,
  McpPrompts,
  McpResources,
  McpTool,
  ResourceContent,
  ToolContext,
} from "../../src/mcp/catalogue.ts";
import type {
  CallToolResult,
  GetPromptResult,
  Prompt,
  Tool,
} from "../../src/mcp/sdk.ts";

/** The pause that the suite asks for between two notifications. */
const PAUSE_MS = 50;

/** One red pixel. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

/** A sound of no length. */
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/** The parts of a result. */
type Content = CallToolResult["content"];

function text(value: string): Content[number] {
  return { type: "text", text: value };
}

/** A tool that takes nothing unless it says so. */
function tool(
  name: string,
  call: (
    args: Readonly<Record<string, unknown>>,
    context: ToolContext,
  ) => Promise<Content> | Content,
  inputSchema: Tool["inputSchema"] = { type: "object", properties: {} },
): McpTool {
  return {
    declaration: { name, description: `Fixture ${name}`, inputSchema },
    call: async (args, context) => ({ content: await call(args, context) }),
  };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

const CONTENT: readonly McpTool[] = [
  tool("test_simple_text", () => [
    text("This is a simple text response for testing."),
  ]),
  tool("test_image_content", () => [
    { type: "image", data: PNG, mimeType: "image/png" },
  ]),
  tool("test_audio_content", () => [
    { type: "audio", data: WAV, mimeType: "audio/wav" },
  ]),
  tool("test_embedded_resource", () => [{
    type: "resource",
    resource: {
      uri: "test://embedded-resource",
      mimeType: "text/plain",
      text: "This is an embedded resource content.",
    },
  }]),
  tool("test_multiple_content_types", () => [
    text("Multiple content types test:"),
    { type: "image", data: PNG, mimeType: "image/png" },
    {
      type: "resource",
      resource: {
        uri: "test://mixed-content-resource",
        mimeType: "application/json",
        text: '{"test":"data","value":123}',
      },
    },
  ]),
  {
    ...tool("test_error_handling", () => []),
    call: () =>
      Promise.resolve({
        isError: true,
        content: [text("This tool intentionally returns an error for testing")],
      }),
  },
  tool("json_schema_2020_12_tool", () => [text("ok")], {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    $defs: {
      address: {
        type: "object",
        properties: { street: { type: "string" }, city: { type: "string" } },
      },
    },
    properties: {
      name: { type: "string" },
      address: { $ref: "#/$defs/address" },
    },
    additionalProperties: false,
  }),
];

const TELLING: readonly McpTool[] = [
  tool("test_tool_with_logging", async (_, { onNotice }) => {
    onNotice({ level: "info", data: "Tool execution started" });
    await pause();
    onNotice({ level: "info", data: "Tool processing data" });
    await pause();
    onNotice({ level: "info", data: "Tool execution completed" });
    return [text("done")];
  }),
  tool("test_tool_with_progress", async (_, { onProgress }) => {
    onProgress({ progress: 0, total: 100 });
    await pause();
    onProgress({ progress: 50, total: 100 });
    await pause();
    onProgress({ progress: 100, total: 100 });
    return [text("done")];
  }),
  tool("test_reconnection", async (_, { closeStream }) => {
    closeStream?.();
    await pause();
    return [text("after the client came back")];
  }),
];

const ASKING: readonly McpTool[] = [
  tool("test_sampling", async ({ prompt }, { server, requestId }) => {
    const { content } = await server.createMessage({
      messages: [{
        role: "user",
        content: { type: "text", text: String(prompt) },
      }],
      maxTokens: 100,
    }, { relatedRequestId: requestId });
    return [text(`LLM response: ${JSON.stringify(content)}`)];
  }, {
    type: "object",
    properties: { prompt: { type: "string" } },
    required: ["prompt"],
  }),
  tool("test_elicitation", async ({ message }, context) => {
    const asked = {
      type: "string" as const,
      description: "What the user says",
    };
    const answer = await elicit(context, String(message), {
      username: asked,
      email: asked,
    });
    return [text(`User response: ${answer}`)];
  }, {
    type: "object",
    properties: { message: { type: "string" } },
    required: ["message"],
  }),
  tool("test_elicitation_sep1034_defaults", async (_, context) => {
    const answer = await elicit(context, "Defaults", {
      name: { type: "string", default: "John Doe" },
      age: { type: "integer", default: 30 },
      score: { type: "number", default: 95.5 },
      status: {
        type: "string",
        enum: ["active", "inactive", "pending"],
        default: "active",
      },
      verified: { type: "boolean", default: true },
    });
    return [text(`Elicitation completed: ${answer}`)];
  }),
  tool("test_elicitation_sep1330_enums", async (_, context) => {
    const options = ["option1", "option2", "option3"];
    const titled = [1, 2, 3].map((n) => ({
      const: `value${n}`,
      title: `Option ${n}`,
    }));
    const answer = await elicit(context, "Enums", {
      untitledSingle: { type: "string", enum: options },
      titledSingle: { type: "string", oneOf: titled },
      legacyEnum: {
        type: "string",
        enum: ["opt1", "opt2", "opt3"],
        enumNames: ["Option One", "Option Two", "Option Three"],
      },
      untitledMulti: {
        type: "array",
        items: { type: "string", enum: options },
      },
      titledMulti: { type: "array", items: { anyOf: titled } },
    });
    return [text(`Elicitation completed: ${answer}`)];
  }),
];

type Elicited = Extract<
  Parameters<ToolContext["server"]["elicitInput"]>[0],
  { readonly requestedSchema: unknown }
>["requestedSchema"]["properties"];

/** Asks the user of the client. */
async function elicit(
  { server, requestId }: ToolContext,
  message: string,
  properties: Elicited,
): Promise<string> {
  const { action, content } = await server.elicitInput({
    message,
    requestedSchema: {
      type: "object",
      properties,
      required: Object.keys(properties),
    },
  }, { relatedRequestId: requestId });
  return `action=${action}, content=${JSON.stringify(content)}`;
}

const CONTENTS: Readonly<Record<string, ResourceContent>> = {
  "test://static-text": {
    uri: "test://static-text",
    mimeType: "text/plain",
    text: "This is the content of the static text resource.",
  },
  "test://static-binary": {
    uri: "test://static-binary",
    mimeType: "image/png",
    blob: PNG,
  },
  "test://watched-resource": {
    uri: "test://watched-resource",
    mimeType: "text/plain",
    text: "Watched resource content",
  },
};

const RESOURCES: McpResources = {
  list: () =>
    Promise.resolve(
      Object.values(CONTENTS).map(({ uri, mimeType = "text/plain" }) => ({
        uri,
        name: uri.slice("test://".length),
        mimeType,
      })),
    ),
  templates: [{
    uriTemplate: "test://template/{id}/data",
    name: "template",
    mimeType: "application/json",
  }],
  read: (uri) => {
    const fixed = CONTENTS[uri];
    if (fixed !== undefined) return Promise.resolve([fixed]);
    const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
    if (id === undefined) return Promise.resolve(null);
    const data = { id, templateTest: true, data: `Data for ID: ${id}` };
    return Promise.resolve([{
      uri,
      mimeType: "application/json",
      text: JSON.stringify(data),
    }]);
  },
  watch: (uri) => Promise.resolve(uri in CONTENTS),
};

function argument(name: string): NonNullable<Prompt["arguments"]>[number] {
  return { name, description: name, required: true };
}

const PROMPTS: readonly Prompt[] = [
  { name: "test_simple_prompt", description: "Without arguments" },
  {
    name: "test_prompt_with_arguments",
    description: "With two",
    arguments: [argument("arg1"), argument("arg2")],
  },
  {
    name: "test_prompt_with_embedded_resource",
    description: "With a resource",
    arguments: [argument("resourceUri")],
  },
  { name: "test_prompt_with_image", description: "With an image" },
];

type Message = GetPromptResult["messages"][number];

function says(content: Message["content"]): Message {
  return { role: "user", content };
}

function promptMessages(
  name: string,
  args: Readonly<Record<string, string>>,
): Message[] | null {
  switch (name) {
    case "test_simple_prompt":
      return [
        says({ type: "text", text: "This is a simple prompt for testing." }),
      ];
    case "test_prompt_with_arguments": {
      const { arg1, arg2 } = args;
      const line = `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`;
      return [says({ type: "text", text: line })];
    }
    case "test_prompt_with_embedded_resource":
      return [
        says({
          type: "resource",
          resource: {
            uri: args["resourceUri"] ?? "",
            mimeType: "text/plain",
            text: "Embedded resource content for testing.",
          },
        }),
        says({
          type: "text",
          text: "Please process the embedded resource above.",
        }),
      ];
    case "test_prompt_with_image":
      return [
        says({ type: "image", data: PNG, mimeType: "image/png" }),
        says({ type: "text", text: "Please analyze the image above." }),
      ];
    default:
      return null;
  }
}

const PROMPT_SOURCE: McpPrompts = {
  list: () => Promise.resolve(PROMPTS),
  get: (name, args) => {
    const messages = promptMessages(name, args);
    return Promise.resolve(messages === null ? null : { messages });
  },
};

/** See the module. */
export const MCP_FIXTURES: Catalogue = {
  instructions: "Fixtures of the conformance suite.",
  tools: () => [...CONTENT, ...TELLING, ...ASKING],
  resources: RESOURCES,
  prompts: PROMPT_SOURCE,
  complete: ({ argument: { value } }) =>
    Promise.resolve({
      values: ["paris", "park", "party"].filter((each) =>
        each.startsWith(value)
      ),
    }),
};
