using DeRa.Engine;
using DeRa.Hub;
using DeRa.Serving.Requests;
using DeRa.Text;
using DeRa.Text.Chat;
using DeRa.Text.Loading;
using DeRa.Torch.Adapters;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using Microsoft.Extensions.Logging;

namespace DeRa.Serving.Loading;

/// <summary>
/// Goes from folders, or names on the Hugging Face Hub, to a pair that serves: download, tokenizers, defaults, models, engine. The
/// server and the command line share it.
/// </summary>
public static partial class ServedPairLoader
{
    /// <summary>Most memory that logits take which are kept between steps.</summary>
    private const long MaxLogitBytes = 512L << 20;

    /// <summary>Loads a pair off the caller's thread. Where it fails nothing stays loaded or running.</summary>
    /// <param name="options">What to load.</param>
    /// <param name="progress">Takes bytes downloaded and loaded, from the threads that do it; null = nobody.</param>
    /// <param name="loggers">Take memory per model and for the cache, and the engine's faults.</param>
    /// <param name="time">The clock of the engine.</param>
    /// <param name="cancellation">Stops loading.</param>
    /// <returns>The pair; disposing its engine frees everything.</returns>
    /// <exception cref="CheckpointException">A folder is missing or broken, or asks for what is not implemented.</exception>
    /// <exception cref="TokenizerException">A tokenizer is missing, broken, or asks for what is not implemented.</exception>
    /// <exception cref="PairLoadException">The two vocabularies differ, an option is out of range, or memory does not suffice.</exception>
    /// <exception cref="LibTorchException">libtorch or a device does not work.</exception>
    /// <exception cref="HubException">A model is neither a folder nor on the Hub, or cannot be had.</exception>
    public static Task<ServedPair> LoadAsync(ServedPairOptions options, IProgress<LoadProgress>? progress,
        ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation) => Task.Run(async () =>
        {
            if (PairDownload.IsNeeded(options.Models))
                options = options with { Models = await DownloadAsync(options.Models, progress, loggers, time, cancellation) };
            return Load(options, progress, loggers, time, cancellation);
        }, cancellation);

    private static async Task<PairOptions> DownloadAsync(PairOptions pair, IProgress<LoadProgress>? progress,
        ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation)
    {
        HubModels.Check(pair.Paths);
        var logger = loggers.CreateLogger<HubModels>();
        using var hub = new HubModels(HubOptions.FromEnvironment(), time) { Notice = text => PairDownload.Notice(logger, text) };
        return await new PairDownload(hub, progress, logger).ResolveAsync(pair, cancellation);
    }

    private static ServedPair Load(ServedPairOptions options, IProgress<LoadProgress>? progress,
        ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation)
    {
        options.Engine.Validated();
        var reference = Folder.Read(options.Models.ReferencePath);
        var aligned = options.Models.Aligned.Select(model => Folder.Read(model.Path, reference)).ToList();
        for (var i = 0; i < aligned.Count; i++) CheckVocabulary(reference, aligned[i], options.Names.Aligned[i]);
        var tokenizer = aligned[0].Tokenizer;
        var slots = Math.Min(options.Engine.LogitSlots(1 + aligned.Count), MaxLogitBytes / sizeof(float) / tokenizer.VocabularySize);
        var loaded = PairLoader.Load(
            options.Models with { LogitSlots = (int)slots }, tokenizer.VocabularySize, progress, loggers.CreateLogger<PairLoader>(),
            cancellation);
        WarmUp.Run(loaded.Executor, [.. loaded.Members.Select(member => member.Name)]);
        var engine = new GenerationEngine(loaded.Executor, options.Engine, time, loggers.CreateLogger<GenerationEngine>());
        return new ServedPair
        {
            Names = options.Names,
            Tokenizer = tokenizer,
            Validator = new RequestValidator(options.Names, tokenizer,
                Defaults(reference, aligned, time, loggers.CreateLogger<ChatTemplate>()) with { Beta = options.Beta },
                options.Limits, engine.Limits),
            Engine = engine,
            Members = [.. loaded.Members.Select(member => new ServedMember(
                member.Name, member.Device, member.DType, member.WeightBytes, member.CacheBytes))],
            LoadedAt = time.GetUtcNow(),
        };
    }

    private static GenerationDefaults Defaults(Folder reference, IReadOnlyList<Folder> aligned, TimeProvider time, ILogger log)
    {
        var template = aligned.Append(reference).Select(model => ChatTemplate.Load(model.Path, time))
            .FirstOrDefault(found => found is not null);
        if (template?.Fault is { } fault) ChatTemplateFault(log, template.File, fault.Message);
        return GenerationDefaults.Of(reference.Generation, [.. aligned.Select(model => model.Generation)]) with { ChatTemplate = template };
    }

    private static void CheckVocabulary(Folder reference, Folder aligned, string name)
    {
        var ids = Math.Max(reference.Tokenizer.VocabularySize, aligned.Tokenizer.VocabularySize);
        if (TokenizerComparison.FirstDifference(reference.Tokenizer, aligned.Tokenizer, ids) is { } difference)
            throw new PairLoadException(
                $"the vocabularies differ (reference and '{name}'), so their logits cannot be mixed: {difference}");
    }

    [LoggerMessage(6, LogLevel.Warning, "The chat template of {File} cannot be used: {Fault}. Chats are refused; completions work")]
    private static partial void ChatTemplateFault(ILogger logger, string file, string fault);

    /// <summary>What a model's folder holds beside its weights.</summary>
    private sealed record Folder(string Path, ITokenizer Tokenizer, GenerationConfig Generation)
    {
        /// <param name="path">The folder.</param>
        /// <param name="reference">The reference model's, whose tokenizer an adapter has that brings none.</param>
        public static Folder Read(string path, Folder? reference = null)
        {
            if (!Directory.Exists(path)) throw new CheckpointException(path, "no such folder; a Hugging Face model folder is needed");
            var tokenizer = reference is not null && LoraInspection.IsIn(path)
                ? OfAdapter(path, reference.Tokenizer) : TokenizerLoader.Load(path);
            return new Folder(path, tokenizer, GenerationConfig.Load(path, tokenizer));
        }

        /// <summary>A token that only padded batches in training is one that the base model lacks, and that no text needs.</summary>
        private static ITokenizer OfAdapter(string path, ITokenizer reference)
        {
            if (!TokenizerLoader.IsIn(path)) return reference;
            var own = TokenizerLoader.Load(path);
            return TokenizerComparison.AddsOnlyPadding(path, own, reference) ? reference : own;
        }
    }
}
