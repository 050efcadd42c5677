using System.Text.Json.Nodes;

namespace DeRa.Server.Http.ApiReference;

/// <summary>
/// The schemas of answers, OpenAI's with our fields beside theirs. Nothing else is answered: every answer of the tests is held
/// against them.
/// </summary>
internal static class AnswerSchemas
{
    /// <summary>All of them, by name; the caller's own copy.</summary>
    public static JsonObject All() => (JsonObject)JsonNode.Parse(Text)!;

    private const string Text = """
        {
          "Error": {
            "type": "object", "required": ["error"], "additionalProperties": false,
            "properties": {
              "error": {
                "type": "object", "required": ["message", "type", "param", "code"], "additionalProperties": false,
                "properties": {
                  "message": {"type": "string", "description": "What is wrong and what is allowed."},
                  "type": {"type": "string", "enum": ["invalid_request_error", "authentication_error", "timeout_error", "rate_limit_error", "overloaded_error", "server_error"]},
                  "param": {"type": ["string", "null"], "description": "The field at fault."},
                  "code": {"type": ["string", "null"], "description": "Such as model_not_found or context_length_exceeded."}
                }
              }
            }
          },
          "Message": {
            "type": "object", "required": ["role", "content"],
            "properties": {
              "role": {"type": "string", "minLength": 1, "description": "system, developer, user, assistant, or what else the model's chat template knows."},
              "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/TextPart"}}]},
              "name": {"type": ["string", "null"], "description": "Taken and not used."}
            }
          },
          "TextPart": {
            "type": "object", "required": ["type", "text"],
            "properties": {"type": {"type": "string", "enum": ["text"]}, "text": {"type": "string"}}
          },
          "Usage": {
            "type": "object", "required": ["prompt_tokens", "completion_tokens", "total_tokens"], "additionalProperties": false,
            "properties": {
              "prompt_tokens": {"type": "integer", "minimum": 0, "description": "Each prompt counts once."},
              "completion_tokens": {"type": "integer", "minimum": 0},
              "total_tokens": {"type": "integer", "minimum": 0}
            }
          },
          "Strengths": {
            "type": "object", "additionalProperties": {"type": "number"},
            "description": "The strengths in force, by the aligned models' names, where there are several."
          },
          "Seed": {"type": "integer", "format": "int64", "description": "The seed in force. Sent back with the same request, it gives the same answer."},
          "PromptTokenIds": {
            "type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1,
            "description": "The prompt's tokens, where asked for; in a stream with the first chunk of each choice."
          },
          "StopReason": {"type": ["string", "integer", "null"], "description": "The stop text or stop token, of those that the request names, that ended it."},
          "TokenIds": {"type": "array", "items": {"type": "integer", "minimum": 0}, "description": "The generated tokens, where asked for."},
          "PromptLogprobs": {
            "type": "array", "description": "For each token of the prompt but the first: token id → log-probability, where asked for.",
            "items": {
              "type": ["object", "null"],
              "additionalProperties": {
                "type": "object", "required": ["logprob", "rank", "decoded_token"], "additionalProperties": false,
                "properties": {"logprob": {"type": "number", "maximum": 0}, "rank": {"type": "integer", "minimum": 1}, "decoded_token": {"type": "string"}}
              }
            }
          },
          "CompletionLogprobs": {
            "type": "object", "required": ["tokens", "token_logprobs", "top_logprobs", "text_offset"], "additionalProperties": false,
            "properties": {
              "tokens": {"type": "array", "items": {"type": "string"}},
              "token_logprobs": {"type": "array", "items": {"type": ["number", "null"], "maximum": 0}},
              "top_logprobs": {"type": "array", "items": {"type": ["object", "null"], "additionalProperties": {"type": "number", "maximum": 0}}},
              "text_offset": {"type": "array", "items": {"type": "integer", "minimum": 0}}
            }
          },
          "Completion": {
            "type": "object", "required": ["id", "object", "created", "model", "seed", "choices", "usage"], "additionalProperties": false,
            "properties": {
              "id": {"type": "string", "pattern": "^cmpl-"},
              "object": {"type": "string", "enum": ["text_completion"]},
              "created": {"type": "integer", "description": "Seconds since 1970."},
              "model": {"type": "string"},
              "alignment_strength": {"type": "number", "description": "The strength in force, where one number says it."},
              "alignment_strengths": {"$ref": "#/components/schemas/Strengths"},
              "seed": {"$ref": "#/components/schemas/Seed"},
              "choices": {
                "type": "array",
                "items": {
                  "type": "object", "required": ["index", "text", "logprobs", "finish_reason"], "additionalProperties": false,
                  "properties": {
                    "index": {"type": "integer", "minimum": 0},
                    "text": {"type": "string"},
                    "logprobs": {"anyOf": [{"$ref": "#/components/schemas/CompletionLogprobs"}, {"type": "null"}]},
                    "token_ids": {"$ref": "#/components/schemas/TokenIds"},
                    "prompt_token_ids": {"$ref": "#/components/schemas/PromptTokenIds"},
                    "prompt_logprobs": {"$ref": "#/components/schemas/PromptLogprobs"},
                    "finish_reason": {"type": "string", "enum": ["stop", "length"]},
                    "stop_reason": {"$ref": "#/components/schemas/StopReason"}
                  }
                }
              },
              "usage": {"$ref": "#/components/schemas/Usage"}
            }
          },
          "CompletionChunk": {
            "type": "object", "required": ["id", "object", "created", "model", "seed", "choices"], "additionalProperties": false,
            "properties": {
              "id": {"type": "string", "pattern": "^cmpl-"},
              "object": {"type": "string", "enum": ["text_completion"]},
              "created": {"type": "integer"},
              "model": {"type": "string"},
              "alignment_strength": {"type": "number"},
              "alignment_strengths": {"$ref": "#/components/schemas/Strengths"},
              "seed": {"$ref": "#/components/schemas/Seed"},
              "choices": {
                "type": "array", "maxItems": 1,
                "items": {
                  "type": "object", "required": ["index", "text", "logprobs", "finish_reason"], "additionalProperties": false,
                  "properties": {
                    "index": {"type": "integer", "minimum": 0},
                    "text": {"type": "string"},
                    "logprobs": {"anyOf": [{"$ref": "#/components/schemas/CompletionLogprobs"}, {"type": "null"}]},
                    "token_ids": {"$ref": "#/components/schemas/TokenIds"},
                    "prompt_token_ids": {"$ref": "#/components/schemas/PromptTokenIds"},
                    "finish_reason": {"anyOf": [{"type": "string", "enum": ["stop", "length"]}, {"type": "null"}]},
                    "stop_reason": {"$ref": "#/components/schemas/StopReason"}
                  }
                }
              },
              "usage": {"anyOf": [{"$ref": "#/components/schemas/Usage"}, {"type": "null"}]}
            }
          },
          "TokenLogprob": {
            "type": "object", "required": ["token", "logprob", "bytes"], "additionalProperties": false,
            "properties": {
              "token": {"type": "string"},
              "logprob": {"type": "number", "maximum": 0},
              "bytes": {"type": ["array", "null"], "items": {"type": "integer", "minimum": 0, "maximum": 255}, "description": "The token's bytes, which may be a part of a character."},
              "top_logprobs": {"type": "array", "items": {"$ref": "#/components/schemas/TokenLogprob"}}
            }
          },
          "ChatLogprobs": {
            "type": "object", "required": ["content", "refusal"], "additionalProperties": false,
            "properties": {
              "content": {"type": "array", "items": {"$ref": "#/components/schemas/TokenLogprob"}},
              "refusal": {"type": "null"}
            }
          },
          "ChatCompletion": {
            "type": "object", "required": ["id", "object", "created", "model", "seed", "choices", "usage"], "additionalProperties": false,
            "properties": {
              "id": {"type": "string", "pattern": "^chatcmpl-"},
              "object": {"type": "string", "enum": ["chat.completion"]},
              "created": {"type": "integer", "description": "Seconds since 1970."},
              "model": {"type": "string"},
              "alignment_strength": {"type": "number", "description": "The strength in force, where one number says it."},
              "alignment_strengths": {"$ref": "#/components/schemas/Strengths"},
              "seed": {"$ref": "#/components/schemas/Seed"},
              "choices": {
                "type": "array",
                "items": {
                  "type": "object", "required": ["index", "message", "logprobs", "finish_reason"], "additionalProperties": false,
                  "properties": {
                    "index": {"type": "integer", "minimum": 0},
                    "message": {
                      "type": "object", "required": ["role", "content", "refusal"], "additionalProperties": false,
                      "properties": {"role": {"type": "string", "enum": ["assistant"]}, "content": {"type": "string"}, "refusal": {"type": "null"}}
                    },
                    "logprobs": {"anyOf": [{"$ref": "#/components/schemas/ChatLogprobs"}, {"type": "null"}]},
                    "token_ids": {"$ref": "#/components/schemas/TokenIds"},
                    "finish_reason": {"type": "string", "enum": ["stop", "length"]},
                    "stop_reason": {"$ref": "#/components/schemas/StopReason"}
                  }
                }
              },
              "prompt_token_ids": {"$ref": "#/components/schemas/PromptTokenIds"},
              "prompt_logprobs": {"$ref": "#/components/schemas/PromptLogprobs"},
              "usage": {"$ref": "#/components/schemas/Usage"}
            }
          },
          "ChatCompletionChunk": {
            "type": "object", "required": ["id", "object", "created", "model", "seed", "choices"], "additionalProperties": false,
            "properties": {
              "id": {"type": "string", "pattern": "^chatcmpl-"},
              "object": {"type": "string", "enum": ["chat.completion.chunk"]},
              "created": {"type": "integer"},
              "model": {"type": "string"},
              "alignment_strength": {"type": "number"},
              "alignment_strengths": {"$ref": "#/components/schemas/Strengths"},
              "seed": {"$ref": "#/components/schemas/Seed"},
              "choices": {
                "type": "array", "maxItems": 1,
                "items": {
                  "type": "object", "required": ["index", "delta", "logprobs", "finish_reason"], "additionalProperties": false,
                  "properties": {
                    "index": {"type": "integer", "minimum": 0},
                    "delta": {
                      "type": "object", "additionalProperties": false,
                      "properties": {"role": {"type": "string", "enum": ["assistant"]}, "content": {"type": "string"}}
                    },
                    "logprobs": {"anyOf": [{"$ref": "#/components/schemas/ChatLogprobs"}, {"type": "null"}]},
                    "token_ids": {"$ref": "#/components/schemas/TokenIds"},
                    "finish_reason": {"anyOf": [{"type": "string", "enum": ["stop", "length"]}, {"type": "null"}]},
                    "stop_reason": {"$ref": "#/components/schemas/StopReason"}
                  }
                }
              },
              "prompt_token_ids": {"$ref": "#/components/schemas/PromptTokenIds"},
              "usage": {"anyOf": [{"$ref": "#/components/schemas/Usage"}, {"type": "null"}]}
            }
          },
          "Tokens": {
            "type": "object", "required": ["count", "max_model_len", "tokens", "token_strs"], "additionalProperties": false,
            "properties": {
              "count": {"type": "integer", "minimum": 0},
              "max_model_len": {"type": "integer", "description": "Tokens that the context holds."},
              "tokens": {"type": "array", "items": {"type": "integer", "minimum": 0}},
              "token_strs": {"type": ["array", "null"], "items": {"type": "string"}, "description": "As the vocabulary spells them, where asked for."}
            }
          },
          "Text": {
            "type": "object", "required": ["prompt"], "additionalProperties": false,
            "properties": {"prompt": {"type": "string"}}
          },
          "Model": {
            "type": "object", "required": ["id", "object", "created", "owned_by", "root", "parent", "max_model_len"], "additionalProperties": false,
            "properties": {
              "id": {"type": "string"},
              "object": {"type": "string", "enum": ["model"]},
              "created": {"type": "integer", "description": "When it was loaded, in seconds since 1970."},
              "owned_by": {"type": "string"},
              "root": {"type": "string", "description": "The pair."},
              "parent": {"type": ["string", "null"], "description": "The pair that a single model belongs to."},
              "max_model_len": {"type": "integer", "description": "Tokens that the context holds."}
            }
          },
          "ModelList": {
            "type": "object", "required": ["object", "data"], "additionalProperties": false,
            "properties": {
              "object": {"type": "string", "enum": ["list"]},
              "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}
            }
          },
          "State": {
            "type": "object", "required": ["status"], "additionalProperties": false,
            "properties": {
              "status": {"type": "string"},
              "loaded": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}, "description": "How much of each model, while loading."}
            }
          },
          "Version": {
            "type": "object", "required": ["version"], "additionalProperties": false,
            "properties": {"version": {"type": "string"}}
          },
          "Info": {
            "type": "object", "additionalProperties": false,
            "required": ["version", "uptime_seconds", "pair", "models", "aligned", "members", "context_tokens", "vocabulary_size", "cache_tokens", "limits", "options"],
            "properties": {
              "version": {"type": "string"},
              "uptime_seconds": {"type": "number", "minimum": 0},
              "pair": {"type": "string"},
              "models": {"type": "array", "items": {"type": "string"}, "description": "What the field model may be."},
              "aligned": {"type": "array", "items": {"type": "string"}, "description": "The aligned models, the one that a single strength is about first."},
              "members": {
                "type": "array",
                "items": {
                  "type": "object", "required": ["name", "device", "dtype", "weight_bytes", "cache_bytes"], "additionalProperties": false,
                  "properties": {
                    "name": {"type": "string"}, "device": {"type": "string"}, "dtype": {"type": "string"},
                    "weight_bytes": {"type": "integer", "minimum": 0}, "cache_bytes": {"type": "integer", "minimum": 0}
                  }
                }
              },
              "context_tokens": {"type": "integer"},
              "vocabulary_size": {"type": "integer"},
              "cache_tokens": {"type": "integer"},
              "limits": {"type": "object", "description": "What a request may ask for."},
              "options": {"type": "object", "description": "The server's options; secrets and files are left out."}
            }
          },
          "OpenApi": {"type": "object", "required": ["openapi", "info", "paths", "components"]},
          "Page": {"type": "string"}
        }
        """;
}
