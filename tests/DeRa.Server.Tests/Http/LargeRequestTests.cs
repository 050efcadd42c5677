using System.Text;
using DeRa.Server.Options;
using DeRa.Testing;
using DeRa.Text.Chat;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>
/// Requests as large and as deep as the server takes: reading them takes time in proportion to their size. In proportion to its
/// square it would take minutes, longer than the clients here wait.
/// </summary>
public class LargeRequestTests
{
    private const string User = "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]";

    /// <summary>
    /// A name of 1.9 million characters, and 200,000 entries inside it: hundreds of gigabytes, were the way to each written out.
    /// </summary>
    private static readonly string LongName = new('n', 1_900_000);

    private static readonly string ManyEntries = string.Join(',', Enumerable.Range(0, 200_000).Select(i => $"\"{i:x}\":1"));

    public static TheoryData<string, int, string> Bodies => new()
    {
        { $"\"chat_template_kwargs\":{{\"{LongName}\":{{{ManyEntries}}}}}", 400, "chat_template_kwargs" },
        { $"\"chat_template_kwargs\":{{\"x\":{{\"{LongName}\":{{{ManyEntries}}}}}}}", 200, "" },
        { $"\"chat_template_kwargs\":{{{ManyEntries}}}", 400, "chat_template_kwargs" },
        { $"\"chat_template_kwargs\":{{\"x\":{{\"{LongName}\":[{string.Join(',', Enumerable.Repeat("0", 900_000))}]}}}}", 200, "" },
        { $"\"chat_template_kwargs\":{{\"x\":{{\"{LongName}\":{{{ManyEntries},\"unfit\":\"\\ud800\"}}}}}}", 400,
            "chat_template_kwargs.x.nnn" },
        { $"\"{LongName}\":{{{ManyEntries}}}", 200, "" },
        { $"\"{LongName}strength\":1", 400, "nnn" },
        { $"\"options\":{{{ManyEntries}}}", 200, "" },
        { $"\"logit_bias\":{{{ManyEntries}}}", 400, "logit_bias" },
        { $"\"alignment_strengths\":{{{ManyEntries}}}", 400, "alignment_strengths." },
        { $"\"stop\":[{string.Join(',', Enumerable.Repeat("\"x\"", 900_000))}]", 400, "stop" },
        { $"\"stop_token_ids\":[{string.Join(',', Enumerable.Repeat("1", 1_800_000))}]", 400, "stop_token_ids" },
        { $"\"bad_words\":[{string.Join(',', Enumerable.Repeat("\"x\"", 900_000))}]", 400, "bad_words" },
        { $"\"response_format\":{{{ManyEntries},\"type\":\"text\"}}", 200, "" },
        { $"\"metadata\":{{\"{LongName}\":{{{ManyEntries}}}}}", 200, "" },
        { $"\"max_tokens\":{new string('9', 3_900_000)}", 400, "max_tokens" },
        { $"\"model\":\"pair@{new string('9', 3_900_000)}\"", 400, "model" },
        { $"\"temperature\":0.{new string('5', 3_900_000)}", 200, "" },
        { string.Join(',', Enumerable.Range(0, 200_000).Select(i => $"\"zz{i}\":null")), 200, "" },
        { string.Join(',', Enumerable.Range(0, 200_000).Select(i => $"\"zz{i}\":0")), 400, "zz64" },
    };

    [Theory]
    [MemberData(nameof(Bodies), DisableDiscoveryEnumeration = true)]
    public async Task A_field_as_large_as_a_body_takes_no_longer_than_its_size(string field, int status, string param)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var reply = await server.ChatAsync($"{{{User},{field}}}");
        Assert.Equal(status, reply.Status);
        if (status == 400) Assert.StartsWith(param, reply.Param, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_messages_with_fields_that_nobody_knows_take_no_longer_than_their_size()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var unknown = string.Join(',', Enumerable.Range(0, 64).Select(i => $"\"{new string('z', 30)}{i}\":1"));
        var messages = string.Join(',', Enumerable.Repeat($"{{\"role\":\"user\",\"content\":\"\",{unknown}}}", 1_500));
        var reply = await server.PostAsync("/tokenize", $"{{\"messages\":[{messages}]}}");
        Assert.Equal(200, reply.Status);
    }

    [Theory]
    [InlineData("/tokenize")]
    [InlineData("/v1/chat/completions")]
    public async Task A_template_gets_large_variables_as_they_are(string path)
    {
        using var folder = new TemporaryFolder();
        folder.Write("chat_template.jinja", "{{ x | length }}{{ x['ff'] }}{{ y.z[2] }}");
        await using var server =
            await ServerFixture.StartAsync(Scripts.Saying("fine"), chats: ChatTemplate.Load(folder.Path, TimeProvider.System));
        var reply = await server.PostAsync(path,
            $"{{{User},\"chat_template_kwargs\":{{\"x\":{{{ManyEntries}}},\"y\":{{\"z\":[0,1,\"end\"]}}}}}}");
        Assert.Equal(200, reply.Status);
        if (path != "/tokenize") return;
        var tokens = reply.Json.GetProperty("tokens").EnumerateArray().Select(token => (char)token.GetInt32());
        Assert.Equal("2000001end", string.Concat(tokens));
    }

    [Fact]
    public async Task Over_gRPC_large_variables_take_no_longer_than_their_size()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var inner = new Struct();
        for (var i = 0; i < 100_000; i++) inner.Fields[$"{i:x}"] = Value.ForNumber(1);
        async Task<string> FaultAsync(string name, Action<Struct>? change = null)
        {
            change?.Invoke(inner);
            var request = new Protos.V1.TokenizeRequest
            {
                Prompt = new()
                {
                    Messages = new()
                    {
                        Messages = { new Protos.V1.ChatMessage { Role = Protos.V1.Role.User, Content = "a" } },
                        ChatTemplateKwargs =
                            new() { Fields = { [name] = Value.ForStruct(new() { Fields = { [LongName] = Value.ForStruct(inner) } }) } },
                    },
                },
            };
            try
            {
                await server.Inference.TokenizeAsync(request, cancellationToken: ServerFixture.Stop,
                    deadline: DateTime.UtcNow.AddSeconds(100));
                return "";
            }
            catch (RpcException refused)
            {
                return $"{refused.StatusCode} {refused.Status.Detail}";
            }
        }
        Assert.Equal("", await FaultAsync("x"));
        Assert.Contains("a name of 257 characters", await FaultAsync(new string('x', 257)), StringComparison.Ordinal);
        var nan = await FaultAsync("x", all => all.Fields["ffff"] = Value.ForNumber(double.NaN));
        Assert.StartsWith("InvalidArgument 'prompt.messages.chat_template_kwargs.x.nnn", nan, StringComparison.Ordinal);
        Assert.EndsWith(".ffff' must be a finite number.", nan, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/tokenize")]
    [InlineData("/v1/chat/completions")]
    public async Task Variables_may_nest_as_deep_as_a_body(string path)
    {
        const int depth = 1024;
        using var folder = new TemporaryFolder();
        folder.Write("chat_template.jinja", "{% if all %}{{ x | tojson }}{% else %}{{ x.a[0].a[0] is mapping }}{% endif %}");
        var executor = Scripts.Saying("fine");
        await using var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor, chats: ChatTemplate.Load(folder.Path, TimeProvider.System))), executor,
            options: new ServerOptions { Time = new() { DrainSeconds = 0 }, Body = new() { MaxJsonDepth = depth } });
        await server.PhaseChangedAsync();
        // The body and the variables are two levels.
        string Body(int levels, string more = "") => $"{{{User},\"chat_template_kwargs\":{{{more}\"x\":{Nested(levels)}}}}}";
        foreach (var levels in (int[])[62, 63, 64, 65, 500, depth - 2])
            Assert.Equal((levels, 200), (levels, (await server.PostAsync(path, Body(levels))).Status));
        var tooDeep = await server.PostAsync(path, Body(depth - 1));
        Assert.Equal((400, "chat_template_kwargs"), (tooDeep.Status, tooDeep.Param));
        // A template that walks all the way is bounded, as its own work is.
        var walked = await server.PostAsync(path, Body(depth - 2, "\"all\":true,"));
        Assert.Equal(400, walked.Status);
        Assert.Contains("nests more than", walked.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        foreach (
            var field in (string[])["response_format", "tools", "metadata", "shiny_thing", "options", "stop", "logit_bias", "prediction"])
            Assert.Contains((await server.PostAsync(path, $"{{{User},\"{field}\":{Nested(depth - 1)}}}")).Status, (int[])[200, 400]);
    }

    [Fact]
    public async Task Over_gRPC_variables_that_nest_too_deep_are_the_client_s_fault()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        foreach (var (levels, expected) in ((int, StatusCode)[])[(30, StatusCode.OK), (400, StatusCode.InvalidArgument)])
        {
            var value = Value.ForNull();
            for (var i = 0; i < levels; i++) value = Value.ForStruct(new() { Fields = { ["a"] = value } });
            var talk = new Protos.V1.Conversation
            {
                Messages = { new Protos.V1.ChatMessage { Role = Protos.V1.Role.User, Content = "a" } },
                ChatTemplateKwargs = new() { Fields = { ["x"] = value } },
            };
            var status = StatusCode.OK;
            try
            {
                await server.Inference.ChatAsync(new() { Conversation = talk }, cancellationToken: ServerFixture.Stop);
            }
            catch (RpcException refused)
            {
                status = refused.StatusCode;
            }
            Assert.Equal(expected, status);
        }
    }

    /// <summary>An object in a list in an object …, so many levels of both.</summary>
    private static string Nested(int levels)
    {
        var text = new StringBuilder();
        for (var i = 0; i < levels; i++) text.Append(i % 2 == 0 ? "{\"a\":" : "[");
        text.Append("null");
        for (var i = levels - 1; i >= 0; i--) text.Append(i % 2 == 0 ? '}' : ']');
        return text.ToString();
    }
}
