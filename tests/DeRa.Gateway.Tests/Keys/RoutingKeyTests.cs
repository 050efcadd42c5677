using System.Text;
using DeRa.Gateway.Keys;
using DeRa.Protos.V1;
using Google.Protobuf;
using Xunit;

namespace DeRa.Gateway.Tests.Keys;

public class RoutingKeyTests
{
    private const string Service = "/dera.v1.InferenceService/";
    private static readonly string Long = string.Concat(Enumerable.Repeat("Once upon a time ", 100));

    [Theory]
    [InlineData("""{"model":"pair","prompt":"Once"}""", """{"model":"pair@0.5","prompt":"Once","alignment_strength":2,"n":3}""")]
    [InlineData("""{"prompt":"a\u0062c"}""", """{ "prompt": "abc", "seed": 4 }""")]
    [InlineData("""{"prompt":["abc","d"]}""", """{"prompt":"abc"}""")]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"}]}""",
        """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yes"},{"role":"user","content":"Go on"}]}""")]
    [InlineData("""{"items":[{"prompt":"ab","continuation":"c"}],"alignment_sweep":[0,1]}""",
        """{"items":[{"prompt":"ab","continuation":"d"},{"prompt":"x","continuation":"y"}],"alignment_sweep":[2]}""")]
    public void Requests_that_share_a_prefix_have_the_same_key(string one, string other)
    {
        Assert.NotNull(Json(one));
        Assert.Equal(Json(one), Json(other));
    }

    [Theory]
    [InlineData("""{"prompt":"Once"}""", """{"prompt":"once"}""")]
    [InlineData("""{"model":"a","prompt":"Once"}""", """{"model":"b","prompt":"Once"}""")]
    [InlineData("""{"prompt":"Once","cache_salt":"1"}""", """{"prompt":"Once","cache_salt":"2"}""")]
    [InlineData("""{"prompt":[1,2]}""", """{"prompt":[1,3]}""")]
    [InlineData("""{"messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}]}""",
        """{"messages":[{"role":"system","content":"ab"},{"role":"user","content":""}]}""")]
    public void Others_have_another(string one, string other) => Assert.NotEqual(Json(one), Json(other));

    [Theory]
    [InlineData("""{"model":"pair"}""")]
    [InlineData("[]")]
    [InlineData("not JSON")]
    [InlineData("")]
    [InlineData("""{"prompt":"\ud800"}""")]
    [InlineData("""{"messages":3,"items":[]}""")]
    public void What_has_no_prompt_or_is_wrong_has_none(string body) => Assert.Null(Json(body));

    [Fact]
    public void What_comes_after_the_first_bytes_does_not_count()
    {
        Assert.Equal(Json($$"""{"prompt":"{{Long}}a"}"""), Json($$"""{"prompt":"{{Long}}b"}"""));
        Assert.NotEqual(Json($$"""{"prompt":"{{Long}}a"}""", 4096), Json($$"""{"prompt":"{{Long}}b"}""", 4096));
        // The last character of two bytes does not fit into nine.
        Assert.Equal(Json("""{"prompt":"12345678é"}""", 9), Json("""{"prompt":"12345678ü"}""", 9));
    }

    [Fact]
    public void A_call_has_the_key_of_the_same_request_over_HTTP_whatever_its_strength()
    {
        var prompt = new Prompt { Text = "Once" };
        var expected = Json("""{"model":"pair","prompt":"Once","cache_salt":"s"}""");
        GenerationOptions At(double strength) => new() { AlignmentStrength = strength, CacheSalt = "s" };
        Assert.Equal(expected, Call("Generate", new GenerateRequest { Model = "pair@2", Prompt = prompt, Options = At(0) }));
        Assert.Equal(expected, Call("GenerateStream", new GenerateStreamRequest { Model = "pair", Prompt = prompt, Options = At(1) }));
        Assert.Equal(expected, Call("Converse",
            new ConverseRequest { Start = new ConverseStart { Model = "pair", Prompt = prompt, Options = At(2) } }));
        Assert.Equal(expected, Call("Score",
            new ScoreRequest { Model = "pair", CacheSalt = "s", Items = { new ScoreItem { Prompt = prompt, Text = "more" } } }));
    }

    [Fact]
    public void A_chat_has_the_same_key_over_both()
    {
        var chat = new Conversation
        {
            Messages = { new ChatMessage { Role = Role.System, Content = "Be brief" }, new ChatMessage { Role = Role.User, Content = "Hi" } },
        };
        var expected = Json("""{"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Hi"}]}""");
        Assert.Equal(expected, Call("Chat", new ChatRequest { Conversation = chat }));
        chat.Messages.Add(new ChatMessage { Role = Role.Assistant, Content = "Hello", AlignmentStrength = 2 });
        Assert.Equal(expected, Call("ChatStream", new ChatStreamRequest { Conversation = chat }));
    }

    [Fact]
    public void Calls_without_a_prompt_or_of_other_services_have_none()
    {
        Assert.Null(Call("ListModels", new ListModelsRequest()));
        Assert.Null(Call("Generate", new GenerateRequest()));
        Assert.Null(Call("Converse", new ConverseRequest { Stop = new ConverseStop() }));
        Assert.Null(GrpcRoutingKey.Read(Service + "Generate", [255, 255, 255], 1024));
        Assert.Null(GrpcRoutingKey.Read("/grpc.health.v1.Health/Check", [], 1024));
    }

    private static ulong? Json(string body, int prefixBytes = 1024) => JsonRoutingKey.Read(Encoding.UTF8.GetBytes(body), prefixBytes);

    private static ulong? Call(string method, IMessage message) => GrpcRoutingKey.Read(Service + method, message.ToByteArray(), 1024);
}
