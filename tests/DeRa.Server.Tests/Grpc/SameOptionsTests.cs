using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Protos.V1;
using DeRa.Server.Grpc;
using DeRa.Server.Http.Wire;
using DeRa.Server.Options;
using DeRa.Serving.Requests;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

/// <summary>
/// Holds the fields of both transports together: one that HTTP gets and gRPC does not, or that is read nowhere, fails here.
/// </summary>
public class SameOptionsTests
{
    /// <summary>What HTTP's fields are called in the protos, where it is not the same.</summary>
    private static readonly Dictionary<string, string> Renamed = new()
    {
        ["lambda"] = "alignment_strength",
        ["max_completion_tokens"] = "max_tokens",
        ["include_stop_str_in_output"] = "include_stop",
        ["top_logprobs"] = "logprobs",
        ["tokens"] = "token_ids",
        ["return_token_strs"] = "return_token_strings",
    };

    /// <summary>Fields of HTTP that need none here.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["stream"] = "methods of their own stream",
        ["stream_options"] = "each Finished has the usage",
        ["return_token_ids"] = "every answer has the tokens' ids",
        ["return_tokens_as_token_ids"] = "log-probabilities stand with the ids",
        ["timeout"] = "every call has a deadline",
    };

    private static readonly (FieldTable Table, MessageDescriptor Message)[] Requests =
    [
        (CompletionRequestReader.Table, GenerateRequest.Descriptor), (ChatRequestReader.Table, ChatRequest.Descriptor),
        (TokenizeRequestReader.TextTable, TokenizeRequest.Descriptor), (TokenizeRequestReader.ChatTable, TokenizeRequest.Descriptor),
        (DetokenizeRequestReader.Table, DetokenizeRequest.Descriptor),
    ];

    /// <summary>Where a field of HTTP is found in a message; null where it is not.</summary>
    private static string? Find(MessageDescriptor message, string field)
    {
        var name = Renamed.GetValueOrDefault(field, field);
        return ((string[])["", "options.", "conversation.", "prompt.messages.", "prompt."])
            .Select(parent => parent + name).FirstOrDefault(path => ProtoPath.Exists(message, path));
    }

    [Fact]
    public void Every_field_of_HTTP_is_a_field_of_gRPC()
    {
        var missing = Requests.SelectMany(request => request.Table.Read
            .Where(field => !Elsewhere.ContainsKey(field) && field != "messages" && Find(request.Message, field) is null)
            .Select(field => $"{request.Message.Name}: {field}"));
        Assert.Empty(missing);
        Assert.Empty(Elsewhere.Keys.Concat(Renamed.Keys).Except(Requests.SelectMany(request => request.Table.Read)));
    }

    [Fact]
    public void Every_option_of_gRPC_is_a_field_of_HTTP()
    {
        var known = Requests[..2].SelectMany(request => request.Table.Read.Select(field => Find(request.Message, field))).ToHashSet();
        Assert.All(GenerationOptions.Descriptor.Fields.InDeclarationOrder(), option => Assert.Contains($"options.{option.Name}", known));
    }

    [Fact]
    public void Calls_that_stream_take_what_the_others_take()
    {
        Assert.Equal(Fields(GenerateRequest.Descriptor), Fields(GenerateStreamRequest.Descriptor));
        Assert.Equal(Fields(GenerateRequest.Descriptor), Fields(ConverseStart.Descriptor));
        Assert.Equal(Fields(ChatRequest.Descriptor), Fields(ChatStreamRequest.Descriptor));
        static string[] Fields(MessageDescriptor message) =>
            [.. message.Fields.InDeclarationOrder().Select(field => field.ToProto().ToString())];
    }

    public static TheoryData<string> Options => [.. GenerationOptions.Descriptor.Fields.InDeclarationOrder().Select(option => option.Name)];

    [Theory]
    [MemberData(nameof(Options))]
    public void Each_option_is_read_into_its_own_part_of_the_request(string name)
    {
        var options = new GenerationOptions();
        Set(options, GenerationOptions.Descriptor.FindFieldByName(name));
        var (with, without) = (Parts(options), Parts(null));
        var changed = Assert.Single(with.Keys, part => with[part] != without[part]);
        Assert.Equal(name == "alignment_strengths" ? "namedstrengths" : name.Replace("_", "", StringComparison.Ordinal),
            changed.ToLowerInvariant());
    }

    private static void Set(GenerationOptions options, FieldDescriptor field)
    {
        if (field.IsMap && field.Name == "logit_bias") options.LogitBias[7] = 0.25;
        else if (field.IsMap) options.AlignmentStrengths["aligned"] = 0.25;
        else if (field.IsRepeated)
            ((System.Collections.IList)field.Accessor.GetValue(options)).Add(field.FieldType switch
            {
                FieldType.String => "x",
                FieldType.Double => 0.25,
                _ => (object)7,
            });
        else
            field.Accessor.SetValue(options, field.FieldType switch
            {
                FieldType.Double => 0.25,
                FieldType.Int32 => 7,
                FieldType.Int64 => 7L,
                // Those that are true by default.
                FieldType.Message when field.Name == "measures" => new MeasureOptions { Top = 3 },
                FieldType.Message => new AlignmentSchedule { Ramp = new() { Start = 0.25 } },
                FieldType.Bool => field.Name is not ("skip_special_tokens" or "speculation"),
                _ => "x",
            });
    }

    private static Dictionary<string, string> Parts(GenerationOptions? options)
    {
        var input = GrpcRequestReader.Read(null, new Prompt { Text = "a" }, [], options);
        return typeof(GenerationInput).GetProperties().ToDictionary(part => part.Name, part =>
            JsonSerializer.Serialize(part.GetValue(input)));
    }

    [Fact]
    public async Task GetServerInfo_tells_what_info_tells()
    {
        var options = new ServerOptions
        {
            Time = new() { DrainSeconds = 0, RequestTimeoutSeconds = 77 },
            Limits = new() { MaxBestOf = 5, MaxBadWords = 9 }
        };
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(
            ServerFixture.Pair(Scripts.Saying("x"), limits: options.ToRequestLimits()) with
            {
                Members = [new("reference", "cpu", "float32", 4, 8), new("aligned", "cuda:1", "bfloat16", 2, 16)],
            }), options: options);
        await server.PhaseChangedAsync();
        var grpc = await server.Inference.GetServerInfoAsync(new GetServerInfoRequest(), cancellationToken: ServerFixture.Stop);
        var names = new JsonFormatter(new JsonFormatter.Settings(true).WithPreserveProtoFieldNames(true));
        var told = JsonNode.Parse(names.Format(grpc))!.AsObject();
        var info = JsonNode.Parse((await server.GetAsync("/info")).Body)!.AsObject();
        foreach (var part in (string[])["limits", "options"]) AssertSame(info[part]!.AsObject(), told[part]!.AsObject());
        for (var i = 0; i < 2; i++) AssertSame(info["members"]![i]!.AsObject(), told["members"]![i]!.AsObject());
        Assert.Equal(info["limits"]!.AsObject().Count, Limits.Descriptor.Fields.InDeclarationOrder().Count);
        // Names differ here, models have a method of their own, rewards none, and how long the server runs is no matter of a request.
        Assert.Equal(["aligned", "models", "rewards", "uptime_seconds"],
            info.Select(entry => entry.Key).Except(told.Select(entry => entry.Key)).Order());
    }

    /// <summary>As text: JSON has one kind of number, protobuf's JSON writes those of 64 bits as strings.</summary>
    private static void AssertSame(JsonObject one, JsonObject other)
    {
        Assert.Equal(one.Select(entry => entry.Key).Order(), other.Select(entry => entry.Key).Order());
        Assert.All(one, entry => Assert.Equal($"{entry.Value}", $"{other[entry.Key]}"));
    }
}
