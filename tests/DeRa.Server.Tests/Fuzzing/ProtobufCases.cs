using System.Collections;
using CsCheck;
using DeRa.Protos.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using ChatMessage = DeRa.Protos.V1.ChatMessage;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>Messages of each request that are often valid, and bytes that are often none.</summary>
internal static class ProtobufCases
{
    private static readonly Gen<double> Number = Gen.Frequency<double>((4, Gen.Double[0, 2]), (1, Gen.Double[-20, 20]),
        (1, Gen.OneOf(0d, -0.0, 1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon, double.MaxValue)));

    private static readonly Gen<int> Whole = Gen.Frequency<int>(
        (6, Gen.Int[0, 8]), (1, Gen.Int[-3, 300]), (1, Gen.OneOf(int.MinValue, int.MaxValue, 1 << 20)));

    private static readonly Gen<string> Text = Gen.OneOf(
        "", "a", "Once 日🦉", "pair", "pair@0.5", "pair@", "\0", "STOP", new string('x', 300), "aligned", "tool", "{{ 7*7 }}");

    private static readonly Gen<Value> Variable = Gen.OneOf(
        Number.Select(Value.ForNumber), Text.Select(Value.ForString), Gen.Bool.Select(Value.ForBool), Gen.Const(new Value()),
        Gen.Select(Text, Number).Select(both => Value.ForList(Value.ForNull(), Value.ForString(both.Item1), Value.ForNumber(both.Item2))),
        Gen.Select(Text, Number).Select(both => Value.ForStruct(new Struct { Fields = { [both.Item1] = Value.ForNumber(both.Item2) } })));

    private static readonly Gen<ChatMessage> Turn =
        from role in Gen.Frequency<int>((4, Gen.Int[1, 3]), (1, Gen.Int[0, 5]))
        from name in Gen.Frequency<string?>((6, Gen.Const((string?)null)), (1, Text.Select(text => (string?)text)))
        from content in Text
        from strength in Gen.Frequency<double?>((4, Gen.Const((double?)null)), (1, Number.Select(number => (double?)number)))
        select Make(role, name, content, strength);

    private static readonly Gen<Conversation> Talk =
        from turns in Turn.Array[0, 4]
        from flags in Gen.Frequency<int>((4, Gen.Const(0)), (1, Gen.Int[1, 15]))
        from variables in Gen.Frequency<(string, Value)[]>((4, Gen.Const(Array.Empty<(string, Value)>())),
            (1, Gen.Select(Text, Variable).Array[1, 3]))
        select Make(turns, flags, variables);

    private static readonly Gen<Prompt> AnyPrompt = Gen.OneOf(
        Text.Select(text => new Prompt { Text = text }), Gen.Const(new Prompt()),
        Whole.Array[0, 5].Select(ids => new Prompt { TokenIds = new TokenIds { Ids = { ids } } }),
        Talk.Select(talk => new Prompt { Messages = talk }));

    private static readonly Gen<Prompt> Prompts = Gen.Frequency<Prompt>((4, Gen.Const(new Prompt { Text = "Once" })), (2, AnyPrompt));

    private static readonly Gen<AlignmentSchedule> Schedule = Gen.OneOf(
        Gen.Const(new AlignmentSchedule()),
        Gen.Select(Number, Number, Whole, Gen.Int[0, 4]).Select(ramp => new AlignmentSchedule
        {
            Ramp = new() { Start = ramp.Item1, End = ramp.Item2, Tokens = ramp.Item3, Shape = (ScheduleShape)ramp.Item4 },
        }),
        Gen.Select(Whole, Number).Array[0, 4].Select(points => new AlignmentSchedule
        {
            Points = new() { Points = { points.Select((point, i) => Make(i == 0 ? 0 : point.Item1, point.Item2)) } },
        }));

    private static readonly Gen<string?> Model = Gen.Frequency<string?>((6, Gen.Const((string?)null)),
        (1, Text.Select(text => (string?)text)));

    /// <summary>Any of the options, those of a later day too.</summary>
    private static readonly Gen<GenerationOptions> Options =
        Gen.OneOf<Action<GenerationOptions>>([.. GenerationOptions.Descriptor.Fields.InDeclarationOrder().Select(Change)])
            .Array[0, 6].Select(changes =>
        {
            var options = new GenerationOptions();
            foreach (var change in changes) change(options);
            return options;
        });

    /// <summary>What Generate and GenerateStream take, and Converse begins with.</summary>
    public static readonly Gen<GenerateRequest> Generate =
        from prompt in Prompts
        from more in Gen.Frequency<Prompt[]>((5, Gen.Const(Array.Empty<Prompt>())), (1, Prompts.Array[1, 3]))
        from model in Model
        from options in Options
        select With(new GenerateRequest { Prompt = prompt, MorePrompts = { more }, Options = options }, model);

    /// <summary>What Chat and ChatStream take.</summary>
    public static readonly Gen<ChatRequest> Chat =
        from talk in Talk
        from model in Model
        from options in Options
        select With(new ChatRequest { Conversation = talk, Options = options }, model);

    public static readonly Gen<TokenizeRequest> Tokenize =
        from prompt in AnyPrompt
        from model in Model
        from flags in Gen.Int[0, 3]
        select With(new TokenizeRequest { Prompt = prompt, AddSpecialTokens = flags % 2 == 0, ReturnTokenStrings = flags > 1 }, model);

    private static readonly Gen<ScoreItem> Item =
        from prompt in AnyPrompt
        from text in Text
        from kind in Gen.Int[0, 2]
        select kind == 0 ? new ScoreItem { Prompt = prompt } : kind == 1 ? new ScoreItem { Prompt = prompt, Text = text }
            : new ScoreItem { Prompt = prompt, TokenIds = new TokenIds { Ids = { text.Length } } };

    private static readonly Gen<ScoredStrength> Strength = Gen.Frequency<ScoredStrength>(
        (6, Gen.Double[-1, 10].Select(strength => new ScoredStrength { AlignmentStrength = strength })),
        (1, Number.Select(strength => new ScoredStrength { AlignmentStrength = strength })),
        (1, Gen.Select(Text, Number).Select(both => new ScoredStrength { AlignmentStrengths = { [both.Item1] = both.Item2 } })));

    public static readonly Gen<ScoreRequest> Score =
        from items in Item.Array[0, 3]
        from strengths in Strength.Array[0, 4]
        from model in Model
        from tells in Gen.Bool
        select With(new ScoreRequest { Items = { items }, AlignmentSweep = { strengths }, PerToken = tells }, model);

    public static readonly Gen<DetokenizeRequest> Detokenize =
        from tokens in Whole.Array[0, 300]
        from model in Model
        from skips in Gen.Bool
        select With(new DetokenizeRequest { TokenIds = { tokens }, SkipSpecialTokens = skips }, model);

    /// <summary>What may come after a start.</summary>
    public static readonly Gen<ConverseRequest> Wish = Gen.Frequency<ConverseRequest>(
        (6, Gen.Double[-1, 10].Select(strength => new ConverseRequest { Change = new() { AlignmentStrength = strength } })),
        (1, Number.Select(strength => new ConverseRequest { Change = new() { AlignmentStrength = strength } })),
        (1, Gen.Select(Text, Number).Select(both =>
            new ConverseRequest { Change = new() { AlignmentStrengths = { [both.Item1] = both.Item2 } } })),
        (1, Gen.OneOf(new ConverseRequest { Stop = new() }, new ConverseRequest(), new ConverseRequest { Change = new() })),
        (1, Generate.Select(Start)));

    public static ConverseRequest Start(GenerateRequest request) => new() { Start = ConverseStart.Parser.ParseFrom(request.ToByteArray()) };

    /// <summary>Bytes of a message, some of them changed.</summary>
    public static Gen<byte[]> Broken<T>(Gen<T> messages) where T : IMessage =>
        from message in messages
        from junk in Gen.Select(Gen.Double[0, 1], Gen.Byte, Gen.Int[0, 3]).Array[1, 4]
        from noise in Gen.Frequency<byte[]>((5, Gen.Const(Array.Empty<byte>())), (1, Gen.Byte.Array[0, 64]))
        select noise.Length > 0 ? noise : junk.Aggregate(message.ToByteArray(), Damage);

    private static Gen<Action<GenerationOptions>> Change(FieldDescriptor field)
    {
        if (field.Name == "logit_bias") return Gen.Select(Whole, Number).Select(both =>
            Act(options => options.LogitBias[both.Item1] = both.Item2));
        if (field.Name == "measures") return Whole.Select(top => Act(options => options.Measures = new MeasureOptions { Top = top }));
        if (field.FieldType == FieldType.Message && !field.IsMap) return Schedule.Select(schedule =>
            Act(options => options.AlignmentSchedule = schedule));
        if (field.IsMap) return Gen.Select(Text, Number).Select(both =>
            Act(options => options.AlignmentStrengths[both.Item1] = both.Item2));
        return Values(field.FieldType).Select(value => Act(options =>
        {
            if (field.IsRepeated) ((IList)field.Accessor.GetValue(options)).Add(value);
            else field.Accessor.SetValue(options, value);
        }));
    }

    private static Action<GenerationOptions> Act(Action<GenerationOptions> action) => action;

    private static Gen<object> Values(FieldType type) => type switch
    {
        FieldType.Double => Number.Select(value => (object)value),
        FieldType.Int32 => Whole.Select(value => (object)value),
        FieldType.Int64 => Gen.Long.Select(value => (object)value),
        FieldType.Bool => Gen.Bool.Select(value => (object)value),
        FieldType.String => Text.Select(value => (object)value),
        _ => throw new InvalidOperationException($"no values of {type}"),
    };

    private static T With<T>(T request, string? model) where T : IMessage
    {
        if (model is not null) request.Descriptor.FindFieldByName("model").Accessor.SetValue(request, model);
        return request;
    }

    private static ChatMessage Make(int role, string? name, string content, double? strength)
    {
        var message = new ChatMessage { Role = (Role)role, Content = content };
        if (strength is { } own) message.AlignmentStrength = own;
        if (name is not null) message.RoleName = name;
        return message;
    }

    private static SchedulePoint Make(int token, double strength) => new() { FromToken = token, AlignmentStrength = strength };

    private static Conversation Make(ChatMessage[] turns, int flags, (string Name, Value Value)[] variables)
    {
        var talk = new Conversation { Messages = { turns } };
        if ((flags & 1) != 0) talk.AddGenerationPrompt = (flags & 2) != 0;
        if ((flags & 4) != 0) talk.ContinueFinalMessage = (flags & 8) != 0;
        foreach (var (name, value) in variables) (talk.ChatTemplateKwargs ??= new()).Fields[name] = value;
        return talk;
    }

    private static byte[] Damage(byte[] bytes, (double Place, byte Junk, int Kind) damage)
    {
        var at = (int)(damage.Place * bytes.Length);
        return damage.Kind switch
        {
            0 => bytes[..at],
            1 => [.. bytes[..at], damage.Junk, .. bytes[at..]],
            2 when at < bytes.Length => [.. bytes[..at], damage.Junk, .. bytes[(at + 1)..]],
            _ => [.. bytes, .. bytes[at..]],
        };
    }
}
