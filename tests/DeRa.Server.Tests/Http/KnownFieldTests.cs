using DeRa.Server.Http.Wire;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>What clients of OpenAI and of vLLM may send is known here, each field in one of three ways; a misspelling is told.</summary>
public class KnownFieldTests
{
    private const string ForVllm = "top_k min_p repetition_penalty min_tokens ignore_eos stop_token_ids include_stop_str_in_output "
        + "skip_special_tokens add_special_tokens truncate_prompt_tokens allowed_token_ids bad_words prompt_logprobs return_token_ids "
        + "priority cache_salt alignment_strength lambda typical_p";

    private const string ForVllmChats = "add_generation_prompt continue_final_message chat_template_kwargs";

    private const string TakenInChats =
        "store metadata service_tier prediction verbosity reasoning_effort safety_identifier prompt_cache_key";

    private static FieldTable Table(bool isChat) => isChat ? ChatRequestReader.Table : CompletionRequestReader.Table;

    private static string Path(bool isChat) => isChat ? "/v1/chat/completions" : "/v1/completions";

    private static string Subject(bool isChat) => isChat ? "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]" : "\"prompt\":\"a\"";

    [Theory]
    [InlineData("CreateCompletionRequest", false, 15)]
    [InlineData("CreateChatCompletionRequest", true, 30)]
    public async Task Every_field_of_OpenAI_works_is_refused_or_changes_nothing_and_null_is_unset(string request, bool isChat, int least)
    {
        var fields = OpenAiSchemas.RequestFields(request);
        Assert.True(fields.Count >= least, string.Join(' ', fields));
        var table = Table(isChat);
        foreach (var field in fields)
            Assert.True(table.Read.Contains(field) ^ (table.Unsupported.Contains(field) || table.WithoutEffect.Contains(field)), field);
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var nulls = fields.Except(["prompt", "messages"]).Select(field => $"\"{field}\":null");
        var reply = await server.PostAsync(Path(isChat), $"{{{Subject(isChat)},{string.Join(',', nulls)}}}");
        Assert.Equal("fine", reply.Text());
        Assert.False(reply.Headers.ContainsKey("x-ignored-fields"));
    }

    [Fact]
    public void The_fields_that_vLLM_names_work()
    {
        Assert.Subset(Table(false).Read.ToHashSet(), ForVllm.Split(' ').ToHashSet());
        Assert.Subset(Table(true).Read.ToHashSet(), $"{ForVllm} {ForVllmChats}".Split(' ').ToHashSet());
        Assert.Subset(Table(true).WithoutEffect.ToHashSet(), TakenInChats.Split(' ').ToHashSet());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Any_field_with_a_letter_too_many_is_refused_and_both_names_are_told(bool isChat)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var known = Table(isChat).Read.Concat(Table(isChat).Unsupported).Concat(Table(isChat).WithoutEffect);
        foreach (var field in known.Where(name => name.Count(char.IsLetter) > 3))
        {
            var written = field + field[^1];
            var reply = await server.PostAsync(Path(isChat), $"{{{Subject(isChat)},\"{written}\":1}}");
            Assert.Equal((400, written), (reply.Status, reply.Param));
            var message = reply.Error.GetProperty("message").GetString();
            Assert.Contains($"'{written}'", message, StringComparison.Ordinal);
            Assert.Contains($"'{field}'", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_messages_and_their_parts_hold_beside_is_ignored_and_named_once()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var reply = await server.ChatAsync("""
            {"shiny":1,"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]},
              {"role":"assistant","content":"b","reasoning_content":"c","tool_calls":null,"annotations":[]},
              {"role":"user","name":"n","content":[{"type":"text","text":"a","cache_control":1},{"type":"text","text":"a","id":null}]}]}
            """);
        Assert.Equal("fine", reply.Text());
        Assert.Equal("shiny, messages.content.cache_control, messages.reasoning_content", reply.Headers["x-ignored-fields"]);
    }

    [Fact]
    public async Task Names_too_long_for_a_header_are_counted_out_whole()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var names = Enumerable.Range(0, 9).Select(i => $"{i}" + new string('é', 30)).ToList();
        var reply = await server.CompleteAsync($$"""{"prompt":"a",{{string.Join(',', names.Select(name => $"\"{name}\":1"))}}}""");
        var listed = reply.Headers["x-ignored-fields"].Split(", ");
        Assert.Equal([.. names.Take(5), "..."], listed.Select(Uri.UnescapeDataString));
    }
}
