using System.Text;
using CsCheck;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>Request bodies: valid ones, and what mutations make of them.</summary>
internal static class JsonCases
{
    private const string Numbers =
        "0 1 2 3 16 -1 0.5 1.5 -0.0 1e2 1e-400 1e400 -1e999 2147483648 -9223372036854775809 123456789012345678901234567890 0.1e1 1E+2";

    private static readonly Gen<string> Number = Gen.OneOf(Numbers.Split(' '));

    private static readonly Gen<string> Text = Gen.OneOf(
        "\"\"", "\"a\"", "\"pair\"", "\"pair@0.5\"", "\"pair@NaN\"", "\"<|endoftext|></s>\"", "\"日本語 🦉\"",
        "\"\\u0000\\u001f\\u2028\"", "\"e\\u0301\\uFEFF\"",
        "\"\\ud83e\\udd89\"", "\"\\ud83e\"", "\"\\udd89x\"", "\"\\uffff\"", "\"" + new string('x', 300) + "\"",
        "\"{{ 7*7 }}{% raw %}\"", "\"STOP\"");

    private static readonly Gen<string> Leaf = Gen.Frequency<string>(
        (4, Number), (4, Text), (1, Gen.OneOf("null", "true", "false", "[]", "{}", "[[]]", "NaN", "-Infinity", "'x'", "01", "+1", ".5")),
        (1, Gen.Int[1, 200].Select(depth => new string('[', depth) + new string(']', depth))));

    private static readonly Gen<string> Name = Gen.OneOf(
        "role", "content", "type", "text", "start", "shape", "alignment_strength", "include_usage", "aligned", "0", "65", "-1", "258",
        "name", "", "é", "\\ud83e", "json_schema");

    private static readonly Gen<string> Wild = Gen.Recursive<string>((depth, inner) => depth > 3 ? Leaf : Gen.Frequency<string>(
        (3, Leaf),
        (1, inner.Array[0, 4].Select(items => $"[{string.Join(',', items)}]")),
        (1, Gen.Select(Name, inner, (name, value) => $"\"{name}\":{value}").Array[0, 4]
            .Select(items => $"{{{string.Join(',', items)}}}"))));

    /// <summary>Fields of both endpoints, known and unknown, with values that are often valid.</summary>
    private static readonly (string Name, Gen<string> Value)[] Fields =
    [
        ("model", Gen.OneOf("\"pair\"", "\"pair@0.5\"", "\"pair-aligned\"", "\"pair-reference\"")),
        ("alignment_strength", Gen.Double[-1, 3].Select(Invariant)), ("lambda", Gen.OneOf("0", "0.5", "1")),
        ("alignment_strengths", Gen.Double[-1, 1].Select(value => $"{{\"aligned\":{Invariant(value)}}}")),
        ("alignment_sweep", Gen.OneOf("[0,1]", "[0.5]")),
        ("alignment_schedule", Gen.OneOf("[[0,1],[3,0.5]]", "[[0,0]]", "{\"start\":1,\"end\":0,\"tokens\":4}",
            "{\"start\":0,\"end\":2,\"tokens\":3,\"shape\":\"cosine\"}", "[[1,0]]", "{\"start\":1}")),
        ("max_tokens", Whole(0, 12)), ("max_completion_tokens", Whole(1, 12)), ("n", Whole(1, 4)), ("best_of", Whole(1, 4)),
        ("temperature", Gen.Double[0.01, 2].Select(Invariant)), ("top_k", Whole(-1, 300)), ("top_p", Gen.Double[0, 1].Select(Invariant)),
        ("min_p", Gen.Double[0, 1].Select(Invariant)), ("typical_p", Gen.Double[0.1, 1].Select(Invariant)),
        ("repetition_penalty", Gen.Double[0.1, 2].Select(Invariant)), ("frequency_penalty", Gen.Double[-2, 2].Select(Invariant)),
        ("presence_penalty", Gen.Double[-2, 2].Select(Invariant)),
        ("logit_bias", Gen.OneOf("{}", "{\"65\":100}", "{\"257\":-100,\"3\":1.5}")),
        ("stop", Gen.OneOf("\"a\"", "[\"ab\",\"日\"]", "[\"</s>\",\"<s>a\"]", "[]", "null")), ("stop_token_ids", Gen.OneOf("[]", "[97]")),
            ("ignore_eos", Flag),
        ("seed", Gen.Long.Select(value => FormattableString.Invariant($"{value}"))),
        ("logprobs", Gen.OneOf("0", "3", "5", "true", "false")), ("top_logprobs", Whole(0, 20)),
        ("stream", Flag), ("stream_options", Gen.OneOf("{}", "{\"include_usage\":true}")), ("echo", Flag), ("return_token_ids", Flag),
        ("user", Text), ("min_tokens", Whole(0, 12)), ("include_stop_str_in_output", Flag),
        ("skip_special_tokens", Flag), ("add_special_tokens", Flag), ("parse_special", Flag),
        ("truncate_prompt_tokens", Whole(1, 9)), ("allowed_token_ids", Gen.OneOf("[65,66]", "[]")),
        ("bad_words", Gen.OneOf("[\"a\"]", "[]")),
        ("prompt_logprobs", Whole(0, 3)), ("priority", Whole(-3, 3)), ("cache_salt", Text),
        ("speculation", Flag), ("measures", Gen.OneOf("true", "false", "{}", "{\"top\":2}", "{\"top\":null}", "{\"top\":21}", "1")),
        ("suffix", Text), ("response_format", Gen.OneOf("{\"type\":\"text\"}")),
        ("tools", Gen.OneOf("[]", "null")), ("metadata", Wild), ("lamda", Number), ("colour", Wild),
    ];

    private static readonly Gen<string> Prompt =
        Gen.OneOf("\"Once\"", "\"é日🦉\"", "\"<s>a</s>\"", "[\"a\",\"b\"]", "[1,2,3]", "[[1],[2,3]]", "\"\"");

    private static readonly Gen<string> Tokens = Gen.OneOf("[]", "[104,105]", "[257,0]", "[258]", "[-1]", "[1.5]", "[[1]]", "[\"a\"]");

    private static readonly Gen<string> Messages = Gen.OneOf(
        """[{"role":"user","content":"Hello"}]""",
        """[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]""",
        """[{"role":"user","content":"a","alignment_strength":0.5},{"role":"user","content":"b","alignment_strength":99}]""",
        """[{"role":"user","content":"a"},{"role":"assistant","content":"b","refusal":null},{"role":"user","content":"c"}]""");

    /// <summary>A body and the path that it goes to.</summary>
    public static Gen<(string Path, byte[] Body)> Bodies { get; } =
        from path in Gen.Frequency<string>(
            (4, Gen.Const("/v1/completions")), (4, Gen.Const("/v1/chat/completions")),
            (1, Gen.Const("/tokenize")), (1, Gen.Const("/detokenize")))
        from subject in path == "/v1/chat/completions" ? Messages : path == "/detokenize" ? Tokens : Prompt
        from chosen in Gen.Int[0, Fields.Length - 1].Array[0, 6]
        from values in Each(chosen.Select(field => Fields[field].Value))
        from wild in Wild
        from wildName in Gen.OneOf<string>(
            [.. Fields.Select(field => field.Name), "prompt", "messages", "tokens", "", "\\ud83e", "alignment_strenght", "Temperature"])
        from mutation in Gen.Int[0, 9]
        from place in Gen.Double[0, 1]
        from junk in Gen.Byte
        let fields = chosen.Select((field, i) => (Fields[field].Name, values[i])).DistinctBy(field => field.Name)
            .Prepend((Subject(path), subject)).ToList()
        select (path, Mutate(fields, mutation, (wildName, wild), place, junk));

    private static string Subject(string path) => path switch
    {
        "/v1/chat/completions" => "messages",
        "/detokenize" => "tokens",
        _ => "prompt",
    };

    private static Gen<string> Flag => Gen.OneOf("true", "false");

    /// <summary>One of each.</summary>
    private static Gen<string[]> Each(IEnumerable<Gen<string>> values) => values.Aggregate(Gen.Const(Array.Empty<string>()),
        (list, next) => Gen.Select(list, next, string[] (before, value) => [.. before, value]));

    private static byte[] Mutate(List<(string, string)> fields, int mutation, (string, string) wild, double place, byte junk)
    {
        var at = (int)(place * fields.Count);
        if (mutation is 0 or 1) fields[Math.Min(at, fields.Count - 1)] = (fields[Math.Min(at, fields.Count - 1)].Item1, wild.Item2);
        if (mutation is 2 or 3) fields.Insert(at, wild);
        if (mutation == 4) fields.Add(fields[Math.Min(at, fields.Count - 1)]);
        var body = Encoding.UTF8.GetBytes($"{{{string.Join(',', fields.Select(field => $"\"{field.Item1}\":{field.Item2}"))}}}");
        var index = Math.Min((int)(place * body.Length), body.Length - 1);
        return mutation switch
        {
            5 => body[..index],
            6 => [.. body[..index], junk, .. body[index..]],
            7 => [.. body[..index], junk, .. body[(index + 1)..]],
            8 => Encoding.UTF8.GetBytes(wild.Item2),
            _ => body,
        };
    }

    private static Gen<string> Whole(int low, int high) => Gen.Int[low, high].Select(value => Invariant(value));

    private static string Invariant(double value) => FormattableString.Invariant($"{value}");
}
