using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>
/// Every combination of penalty, log-probabilities, n, allowed tokens, stop, strength and streaming, other features going round
/// with them. Each cell gives what the plain rules say, the same alone and in a batch with all others.
/// </summary>
public class FeatureMatrixTests
{
    private const int MaxTokens = 8;
    private static readonly int[] Prompt = [ByteTokenizer.Bos, 'a', 'b'];

    private static readonly string[] Penalties =
        ["", "\"frequency_penalty\":1.5,\"presence_penalty\":-0.5", "\"repetition_penalty\":1.7"];
    private static readonly string[] LogProbs = ["", "\"logprobs\":2"];
    private static readonly string[] Choices = ["", "\"n\":2"];
    private static readonly string[] Allowed = ["", "\"allowed_token_ids\":[97,98,99,100,101,32,257]"];
    private static readonly string[] Stops = ["", "\"stop\":[\"\\u0001\\u0002\\u0003\",\"e\"]", "\"stop_token_ids\":[100,9]"];
    private static readonly string[] Strengths = ["\"lambda\":0", "\"lambda\":0.5", "\"alignment_schedule\":[[0,1],[3,0.5]]"];
    private static readonly string[] Streams = ["", "\"stream\":true"];
    // Going round with the others: their numbers share no factor with the others', so that every pair with each comes up.
    private static readonly string[] Filters =
        ["", "\"typical_p\":0.5", "\"top_k\":20,\"top_p\":0.9", "\"min_p\":0.05,\"typical_p\":0.8", "\"temperature\":0"];
    private static readonly string[] Others =
    [
        "", "\"min_tokens\":3", "\"bad_words\":[\"a\",\"bc\"]", "\"min_tokens\":5,\"ignore_eos\":true",
        "\"include_stop_str_in_output\":true", "\"bad_words\":[\"b\"],\"min_tokens\":2", "\"skip_special_tokens\":false",
    ];

    /// <summary>Of so many requests in a row the first half goes without speculation.</summary>
    private const int SpeculationPeriod = 11;

    /// <summary>Likewise with measures, which change nothing.</summary>
    private const int MeasuresPeriod = 13;

    [Fact]
    public async Task Each_cell_alone_and_in_a_batch_gives_what_the_rules_say()
    {
        var cells = Cells().ToList();
        var executor = new ScriptedExecutor(blockCount: 2048);
        await using var server = await ServerFixture.StartAsync(executor, new() { MaxRunning = 64, MaxBatchTokens = 96 });
        var alone = new List<Reply>();
        foreach (var cell in cells) alone.Add(await server.CompleteAsync(cell));
        var together = await Task.WhenAll(cells.Select(server.CompleteAsync));
        for (var i = 0; i < cells.Count; i++)
        {
            Assert.True(Content(alone[i]) == Content(together[i]), $"{cells[i]}\nalone: {alone[i].Body}\ntogether: {together[i].Body}");
            AssertExpected(executor, cells[i], alone[i]);
        }
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    /// <summary>Bytes that are no text of their own are biased away: where a stop string ends is then plain.</summary>
    private static IEnumerable<string> Cells()
    {
        var bias = string.Join(',', Enumerable.Range(128, 129).Select(token => $"\"{token}\":-100"));
        var index = 0;
        foreach (var penalty in Penalties)
            foreach (var logProbs in LogProbs)
                foreach (var choices in Choices)
                    foreach (var allowed in Allowed)
                        foreach (var stop in Stops)
                            foreach (var strength in Strengths)
                                foreach (var stream in Streams)
                                    yield return Body(bias, index++, penalty, logProbs, choices, allowed, stop, strength, stream);
    }

    private static string Body(string bias, int index, params string[] features)
    {
        var common =
            $"\"prompt\":\"ab\",\"seed\":{index / 2},\"max_tokens\":{MaxTokens},\"return_token_ids\":true,\"logit_bias\":{{{bias}}}";
        // Streamed or not, a request is otherwise the same.
        var speculation = index / 2 % SpeculationPeriod < SpeculationPeriod / 2 ? "\"speculation\":false" : "";
        var measures = index / 2 % MeasuresPeriod < MeasuresPeriod / 2 ? "\"measures\":{\"top\":2}" : "";
        string[] all = [common, .. features, Filters[index / 2 % Filters.Length], Others[index / 2 % Others.Length], speculation, measures];
        return "{" + string.Join(',', all.Where(feature => feature.Length > 0)) + "}";
    }

    /// <summary>
    /// All of an answer but its id and time, and what of its prompt others had computed; of a stream the choices put together.
    /// </summary>
    private static string Content(Reply reply)
    {
        Assert.Equal(200, reply.Status);
        if (!reply.Body.StartsWith('{')) return JsonSerializer.Serialize(Joined(reply));
        var answer = JsonNode.Parse(reply.Body)!.AsObject();
        answer.Remove("id");
        answer.Remove("created");
        answer["usage"]!.AsObject().Remove("prompt_tokens_details");
        return answer.ToJsonString();
    }

    private static List<Joint> Joined(Reply reply)
    {
        var choices = reply.Body.StartsWith('{')
            ? reply.Json.GetProperty("choices").EnumerateArray() : reply.Events().Select(e => e.GetProperty("choices")[0]);
        return [.. choices.GroupBy(choice => choice.GetProperty("index").GetInt32()).OrderBy(group => group.Key).Select(pieces => new Joint(
            string.Concat(pieces.Select(piece => piece.GetProperty("text").GetString())),
            [.. pieces.SelectMany(piece => piece.GetProperty("token_ids").EnumerateArray()).Select(id => id.GetInt32())],
            [.. pieces.Select(piece => piece.GetProperty("logprobs")).Where(found => found.ValueKind == JsonValueKind.Object)
                .SelectMany(found => found.GetProperty("token_logprobs").EnumerateArray()).Select(p => p.GetDouble())],
            pieces.Last().GetProperty("finish_reason").GetString()!))];
    }

    private static void AssertExpected(ScriptedExecutor executor, string cell, Reply reply)
    {
        using var document = JsonDocument.Parse(cell);
        var wanted = new Wanted(document.RootElement);
        var found = Joined(reply);
        Assert.Equal(wanted.Integer("n") ?? 1, found.Count);
        for (var i = 0; i < found.Count; i++)
        {
            var expected = Expected(executor, wanted, i);
            Assert.True(expected.Tokens.SequenceEqual(found[i].Tokens)
                && (expected.Text, expected.Reason) == (found[i].Text, found[i].Reason),
                $"{cell}\nexpected {JsonSerializer.Serialize(expected)}\nfound {JsonSerializer.Serialize(found[i])}");
            Assert.Equal(wanted.Has("logprobs") ? expected.LogProbs.Length : 0, found[i].LogProbs.Length);
            foreach (var (one, other) in expected.LogProbs.Zip(found[i].LogProbs)) Assert.Equal(one, other, 1e-4);
        }
    }

    /// <summary>The rules written out for one choice alone.</summary>
    private static Joint Expected(ScriptedExecutor executor, Wanted wanted, int choice)
    {
        var ends = wanted.Integers("stop_token_ids").Concat(wanted.Has("ignore_eos") ? [] : [ByteTokenizer.Eos]).ToList();
        var (tokens, logProbs, reason) = (new List<int>(), new List<double>(), "length");
        var includes = wanted.Has("include_stop_str_in_output");
        var text = "";
        while (tokens.Count < MaxTokens && reason == "length")
        {
            int[] prefix = [.. Prompt, .. tokens];
            var mixed = executor.MixedLogits(prefix, wanted.Number("lambda") ?? (tokens.Count < 3 ? 1 : 0.5));
            var token = ReferenceSampler.Token(mixed, Row(wanted, prefix, choice));
            var isStopString = wanted.Has("stop") && token == 'e' && tokens.Count >= (wanted.Integer("min_tokens") ?? 0);
            if (ends.Contains(token) || isStopString) reason = "stop";
            var isShown = includes || reason == "length";
            if (isShown && token < 256) text += (char)token;
            else if (isShown && wanted.Has("skip_special_tokens")) text += "</s>";
            if (isStopString && !includes) break;
            tokens.Add(token);
            logProbs.Add(ReferenceSampler.LogProbs(mixed)[token]);
        }
        return new Joint(text, [.. tokens], [.. logProbs], reason);
    }

    private static SamplingRow Row(Wanted wanted, int[] prefix, int choice) => new()
    {
        NoiseKey = GumbelNoise.Key((long)wanted.Number("seed")!.Value, choice, 0, prefix.Length),
        History = prefix,
        PromptTokens = Prompt.Length,
        Parameters = new SamplingParameters
        {
            Temperature = (float)(wanted.Number("temperature") ?? 1),
            TopK = wanted.Integer("top_k") ?? 0,
            TopP = (float)(wanted.Number("top_p") ?? 1),
            MinP = (float)(wanted.Number("min_p") ?? 0),
            TypicalP = (float)(wanted.Number("typical_p") ?? 1),
            FrequencyPenalty = (float)(wanted.Number("frequency_penalty") ?? 0),
            PresencePenalty = (float)(wanted.Number("presence_penalty") ?? 0),
            RepetitionPenalty = (float)(wanted.Number("repetition_penalty") ?? 1),
            LogitBias = Enumerable.Range(128, 129).ToDictionary(token => token, _ => -100f),
            AllowedTokens = wanted.Has("allowed_token_ids") ? wanted.Integers("allowed_token_ids") : null,
            BadWords = [.. wanted.Texts("bad_words").Select(word => word.Select(c => (int)c).ToArray())],
            MinTokens = wanted.Integer("min_tokens") ?? 0,
            EndTokens = [.. wanted.Integers("stop_token_ids"), ByteTokenizer.Eos],
        },
    };

    private sealed record Joint(string Text, int[] Tokens, double[] LogProbs, string Reason);

    /// <summary>A cell's fields.</summary>
    private sealed class Wanted(JsonElement body)
    {
        public bool Has(string name) => body.TryGetProperty(name, out _);

        public double? Number(string name) => body.TryGetProperty(name, out var value) ? value.GetDouble() : null;

        public int? Integer(string name) => body.TryGetProperty(name, out var value) ? value.GetInt32() : null;

        public IReadOnlyList<int> Integers(string name) =>
            body.TryGetProperty(name, out var value) ? [.. value.EnumerateArray().Select(id => id.GetInt32())] : [];

        public IReadOnlyList<string> Texts(string name) =>
            body.TryGetProperty(name, out var value) ? [.. value.EnumerateArray().Select(text => text.GetString()!)] : [];
    }
}
