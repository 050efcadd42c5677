using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Text;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using Microsoft.Extensions.Logging;

namespace DeRa.Torch;

/// <summary>
/// Goes from two folders to a pair that serves: tokenizers, defaults, models, engine. The server and the command line share it.
/// </summary>
public static class ServedPairLoader
{
    /// <summary>Loads a pair off the caller's thread. Where it fails nothing stays loaded or running.</summary>
    /// <param name="options">What to load.</param>
    /// <param name="progress">Takes bytes loaded, from the loading threads; null = nobody.</param>
    /// <param name="loggers">Take memory per model and for the cache, and the engine's faults.</param>
    /// <param name="time">The clock of the engine.</param>
    /// <param name="cancellation">Stops loading.</param>
    /// <returns>The pair; disposing its engine frees everything.</returns>
    /// <exception cref="CheckpointException">A folder is missing or broken, or asks for what is not implemented.</exception>
    /// <exception cref="TokenizerException">A tokenizer is missing, broken, or asks for what is not implemented.</exception>
    /// <exception cref="PairLoadException">The two vocabularies differ, an option is out of range, or memory does not suffice.</exception>
    /// <exception cref="LibTorchException">libtorch or a device does not work.</exception>
    public static Task<ServedPair> LoadAsync(ServedPairOptions options, IProgress<LoadProgress>? progress,
        ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation) =>
        Task.Run(() => Load(options, progress, loggers, time, cancellation), cancellation);

    private static ServedPair Load(ServedPairOptions options, IProgress<LoadProgress>? progress,
        ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation)
    {
        options.Engine.Validated();
        var (reference, aligned) = (Folder.Read(options.Models.ReferencePath), Folder.Read(options.Models.AlignedPath));
        var tokenizer = aligned.Tokenizer;
        var ids = Math.Max(reference.Tokenizer.VocabularySize, tokenizer.VocabularySize);
        if (TokenizerComparison.FirstDifference(reference.Tokenizer, tokenizer, ids) is { } difference)
            throw new PairLoadException($"the two models' vocabularies differ, so their logits cannot be mixed: {difference}");
        var loaded = PairLoader.Load(
            options.Models, tokenizer.VocabularySize, progress, loggers.CreateLogger<PairLoader>(), cancellation);
        var engine = new GenerationEngine(loaded.Executor, options.Engine, time, loggers.CreateLogger<GenerationEngine>());
        return new ServedPair
        {
            Name = options.Name,
            Tokenizer = tokenizer,
            Validator = new RequestValidator(options.Name, tokenizer,
                Defaults(reference, aligned, time, loggers.CreateLogger<ChatTemplate>()), options.Limits, engine.Limits),
            Engine = engine,
            LoadedAt = time.GetUtcNow(),
        };
    }

    private static GenerationDefaults Defaults(Folder reference, Folder aligned, TimeProvider time, ILogger log)
    {
        var template = ChatTemplate.Load(aligned.Path, time) ?? ChatTemplate.Load(reference.Path, time);
        if (template?.Fault is { } fault) PairLog.ChatTemplateFault(log, template.File, fault.Message);
        return GenerationDefaults.Of(reference.Generation, aligned.Generation) with { ChatTemplate = template };
    }

    /// <summary>What a model's folder holds beside its weights.</summary>
    private sealed record Folder(string Path, ITokenizer Tokenizer, GenerationConfig Generation)
    {
        public static Folder Read(string path)
        {
            if (!Directory.Exists(path)) throw new CheckpointException(path, "no such folder; a Hugging Face model folder is needed");
            var tokenizer = TokenizerLoader.Load(path);
            return new Folder(path, tokenizer, GenerationConfig.Load(path, tokenizer));
        }
    }
}
