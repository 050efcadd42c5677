using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using DeRa.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Testing;

/// <summary>An engine with a validator in front of it, over any executor.</summary>
public sealed class EngineFixture : IDisposable
{
    public EngineFixture(IStepExecutor executor, ITokenizer? tokenizer = null, EngineOptions? options = null,
        RequestLimits? limits = null, GenerationDefaults? defaults = null, TimeProvider? time = null)
    {
        Tokenizer = tokenizer ?? new ByteTokenizer();
        Engine = new GenerationEngine(executor, options ?? new EngineOptions(), time ?? TimeProvider.System,
            NullLogger<GenerationEngine>.Instance);
        Validator = new RequestValidator(new ServedNames("pair", ["aligned"]), Tokenizer,
            defaults ?? new GenerationDefaults { EndOfSequenceTokens = new HashSet<int> { ByteTokenizer.Eos } },
            limits ?? new RequestLimits(), Engine.Limits);
    }

    public ITokenizer Tokenizer { get; }

    public GenerationEngine Engine { get; }

    public RequestValidator Validator { get; }

    public Generation Start(GenerationInput input) => Generation.Start(Engine, Validator.Prepare(input), Tokenizer);

    public Generation Start(string prompt, int maxTokens = 16, double? strength = null, long seed = 7) => Start(new GenerationInput
    {
        Prompts = [new TextPrompt(prompt)],
        MaxTokens = maxTokens,
        AlignmentStrength = strength,
        Seed = seed,
    });

    /// <summary>Runs one sequence to its end and returns its tokens.</summary>
    public Task<IReadOnlyList<int>> RunAsync(GenerationRequest request, CancellationToken cancellation = default) =>
        RunAsync(request, int.MaxValue, cancellation);

    /// <summary>The same, but cancels it once <paramref name="cancelAfter"/> tokens are there.</summary>
    public async Task<IReadOnlyList<int>> RunAsync(GenerationRequest request, int cancelAfter, CancellationToken cancellation)
    {
        var tokens = new List<int>();
        var handle = Engine.Submit([request])[0];
        if (cancelAfter == 0) handle.Cancel();
        await foreach (var happened in handle.Events.ReadAllAsync(cancellation))
        {
            if (happened is not TokenGenerated generated) continue;
            tokens.Add(generated.Token);
            if (tokens.Count == cancelAfter) handle.Cancel();
        }
        return tokens;
    }

    /// <summary>Runs a request to its end and returns each choice's text, tokens and finish reason.</summary>
    public async Task<IReadOnlyList<ChoiceResult>> ReadAsync(GenerationInput input, CancellationToken cancellation = default)
    {
        using var generation = Start(input);
        return await ReadAsync(generation, cancellation);
    }

    public static async Task<IReadOnlyList<ChoiceResult>> ReadAsync(Generation generation, CancellationToken cancellation = default)
    {
        var choices = generation.Request.Choices.Select(_ => new ChoiceResult()).ToArray();
        await foreach (var delta in generation.ReadAsync(cancellation)) choices[delta.Index].Add(delta);
        return choices;
    }

    public void Dispose() => Engine.Dispose();
}

/// <summary>A choice, put together from its pieces.</summary>
public sealed class ChoiceResult
{
    public string Text { get; private set; } = "";

    public List<OutputToken> Tokens { get; } = [];

    public List<string> Pieces { get; } = [];

    public FinishReason? FinishReason { get; private set; }

    public string? StopString { get; private set; }

    internal void Add(ChoiceDelta delta)
    {
        if (FinishReason is not null) throw new InvalidOperationException("a piece after the last one");
        Text += delta.Text;
        Pieces.Add(delta.Text);
        Tokens.AddRange(delta.Tokens);
        FinishReason = delta.FinishReason;
        StopString = delta.StopString;
    }
}
