using System.Globalization;
using System.Text.Json;
using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using DeRa.Lab.Tokenizers;
using DeRa.Lab.Training;
using DeRa.Serving.Rewards;
using DeRa.Text;
using DeRa.Text.Loading;
using static TorchSharp.torch;

namespace DeRa.Lab.Reproduction;

/// <summary>
/// The paper's experiment on length (its section 4.1 and Figure 2), one seed: SFT once; align at β; decode at each strength λ;
/// retrain at each β/λ. Beside it the weights interpolated instead of the logits (Figure 8), and a pair over-optimised by DPO
/// on hard preferences. Every model and every evaluation is kept in the folder, so that an interrupted run can be resumed.
/// </summary>
internal sealed class LengthExperiment(
    string folder, LengthSettings settings, long seed, IReadOnlyList<Document> stories, Device device, TextWriter output,
    CancellationToken cancellation)
{
    private const int SftRows = 16, SftRowTokens = 192;
    private LengthTexts _texts = null!;

    /// <summary>Runs what has not run yet.</summary>
    /// <exception cref="LabException">The texts do not suffice, or the folder holds a run with other settings.</exception>
    public LengthResults Run()
    {
        Claim();
        var tokenizer = Tokenizer();
        _texts = LengthTexts.Of(stories, tokenizer, settings.TextTokens, seed);
        Sft(tokenizer);
        Align("aligned", "policy-gradient", settings.Beta, settings.AlignSteps, settings.AlignLearningRate, tokenizer);
        var (deRa, retrained, interpolated, dpo) = (NewCurve(), NewCurve(), NewCurve(), NewCurve());
        using var reference = Load("sft");
        using var aligned = Load("aligned");
        foreach (var strength in settings.Strengths)
        {
            deRa[strength] = Evaluate($"dera-{Name(strength)}", new Mixture(reference, aligned, strength), tokenizer);
            using var between = TrainableDecoder.Interpolate(reference, aligned, strength);
            interpolated[strength] = Evaluate($"interpolated-{Name(strength)}", Mixture.Of(between), tokenizer);
        }
        foreach (var strength in settings.Strengths)
            retrained[strength] = strength is 0 or 1 ? deRa[strength] : Retrained(strength, tokenizer);
        Align("dpo", "dpo-hard", settings.DpoBeta, settings.DpoSteps, settings.DpoLearningRate, tokenizer);
        using var overOptimised = Load("dpo");
        foreach (var strength in settings.Strengths)
            dpo[strength] = Evaluate($"dpo-{Name(strength)}", new Mixture(reference, overOptimised, strength), tokenizer);
        return new LengthResults(deRa, retrained, interpolated, dpo);
    }

    private static SortedDictionary<double, StrengthEvaluation> NewCurve() => [];

    private static string Name(double strength) => strength.ToString(CultureInfo.InvariantCulture);

    /// <summary>A separate seed for everything that samples.</summary>
    private long SeedOf(string name) =>
        StepRandom.Seed(seed, name.Aggregate(0, (hash, letter) => unchecked(hash * 31 + letter)) & int.MaxValue);

    private string In(string name) => Path.Combine(folder, name);

    private void Claim()
    {
        Directory.CreateDirectory(folder);
        var texts = Fingerprint.Of(stories.Select(story => story.Text));
        var wanted = JsonSerializer.Serialize(new { seed, settings, texts }, LengthResults.Json);
        if (!File.Exists(In("experiment.json"))) File.WriteAllText(In("experiment.json"), wanted);
        else if (File.ReadAllText(In("experiment.json")) != wanted)
            throw new LabException(
                $"{folder} holds a run with other settings (see its experiment.json); name another --output, or remove it.");
    }

    private ITokenizer Tokenizer()
    {
        if (!File.Exists(In("tokenizer/tokenizer.json")))
            TokenizerFolder.Write(
                In("tokenizer"),
                BpeTrainer.Train(stories.Select(story => story.Text), settings.Vocabulary, [BpeTrainer.EndOfText]),
                ContextTokens);
        return TokenizerLoader.Load(In("tokenizer"));
    }

    private int ContextTokens => Math.Max(SftRowTokens, 1 + settings.PromptTokens + settings.MaxCompletionTokens);

    private TrainableDecoder Load(string name) => TrainableDecoder.Load(In(name), device);

    private void Sft(ITokenizer tokenizer)
    {
        var end = ModelFolder.EndToken(In("tokenizer"));
        var shape = PlainShape.Of(
            tokenizer.VocabularySize, settings.Hidden, settings.Hidden * 8 / 3, settings.Layers, settings.Heads, ContextTokens);
        using var model = TrainableDecoder.Create(shape, seed, device);
        var rows = new PackedRows([.. _texts.Training.Select(text => EncodedDocument.Of(text, tokenizer, end))], SftRows, SftRowTokens);
        var training = new TrainingSettings
        {
            Steps = settings.SftSteps,
            LearningRate = 5e-3,
            WarmupSteps = 50,
            WeightDecay = 0.1,
            CheckpointSteps = 200,
        };
        Train("sft", training, new LanguageModelling(rows, seed, "SFT"), model);
    }

    private StrengthEvaluation Retrained(double strength, ITokenizer tokenizer)
    {
        var name = $"retrained-{Name(strength)}";
        Align(name, "policy-gradient", settings.Beta / strength, settings.AlignSteps, settings.AlignLearningRate, tokenizer);
        using var model = Load(name);
        return Evaluate(name, Mixture.Of(model), tokenizer);
    }

    private void Align(string name, string method, double beta, int steps, double learningRate, ITokenizer tokenizer)
    {
        using var reference = Load("sft");
        using var model = reference.Clone();
        var (objective, fromReference) = AlignmentMethod.Create(method, beta, seed);
        var gathering = new AlignmentSettings
        {
            Prompts = settings.PromptsPerStep,
            Completions = settings.Completions,
            MaxTokens = settings.MaxCompletionTokens,
            FromReference = fromReference,
            Seed = SeedOf(name),
        };
        using var reward = new LengthReward(settings.MinTokens, settings.MaxTokens);
        var prompts = _texts.Training.Select(text => PromptFile.Beginning(text.Text, tokenizer, settings.PromptTokens)).ToArray();
        var task = new AlignmentTask(
            reference, prompts, new CompletionScorer(tokenizer, reward), objective, gathering, ModelFolder.EndToken(In("tokenizer")),
            string.Create(CultureInfo.InvariantCulture, $"{method} at beta {beta}, {gathering}"), cancellation);
        var training = new TrainingSettings
        {
            Steps = steps,
            LearningRate = learningRate,
            FinalLearningRateShare = 0.02,
            WarmupSteps = 10,
            CheckpointSteps = 25,
        };
        Train(name, training, task, model);
    }

    private void Train(string name, TrainingSettings training, ITrainingTask task, TrainableDecoder model) =>
        new Trainer(
            training, task, new RunFolder(In(name)), new TrainingProgress(output, $"seed {seed} {name}", !Console.IsOutputRedirected))
            .Run(model, trained => ModelFolder.Write(In(name), trained, In("tokenizer"), ScalarType.Float32), cancellation);

    private StrengthEvaluation Evaluate(string name, Mixture mixture, ITokenizer tokenizer)
    {
        var file = In($"{name}.evaluation.json");
        if (File.Exists(file)) return JsonSerializer.Deserialize<StrengthEvaluation>(File.ReadAllText(file), LengthResults.Json)!;
        var prompts = _texts.Evaluation.Take(settings.EvaluationPrompts)
            .Select(text => PromptFile.Beginning(text.Text, tokenizer, settings.PromptTokens)).ToArray();
        using var reward = new LengthReward(settings.MinTokens, settings.MaxTokens);
        var result = StrengthEvaluation.Run(mixture, prompts, settings.EvaluationCompletions, new CompletionScorer(tokenizer, reward),
            ModelFolder.EndToken(In("tokenizer")), settings.MaxCompletionTokens, SeedOf(name + " evaluation"), cancellation: cancellation);
        File.WriteAllText(file + ".tmp", JsonSerializer.Serialize(result, LengthResults.Json));
        File.Move(file + ".tmp", file);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"seed {seed} {name}: reward {result.Reward.Estimate:F3}, {result.Tokens.Estimate:F1} tokens"));
        return result;
    }
}
