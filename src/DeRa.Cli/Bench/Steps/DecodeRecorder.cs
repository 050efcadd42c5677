using System.Diagnostics;
using System.Diagnostics.Metrics;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;

namespace DeRa.Cli.Bench.Steps;

/// <summary>Steps in which all sequences decode.</summary>
/// <param name="Seconds">How long they took, with what the engine does between them.</param>
/// <param name="Tokens">Tokens that came of them.</param>
/// <param name="WeightBytes">Bytes of weights that their passes read.</param>
/// <param name="Passes">Those passes, each counted for every sequence that it runs; a base model and its adapters share one.</param>
/// <param name="CheckedGuesses">Guesses that were checked, from the first token to the last.</param>
/// <param name="RightGuesses">Those of them that were right.</param>
internal sealed record DecodeWindow(double Seconds, int Tokens, long WeightBytes, int Passes, long CheckedGuesses, long RightGuesses);

/// <summary>
/// Notes what an engine's steps run and what comes of them, as its metrics tell on its own thread: no reader's delay is in it.
/// </summary>
internal sealed class DecodeRecorder : IDisposable
{
    private const string Generated = EngineTelemetry.RouterPrefix + "generation_tokens";
    private const string FirstToken = EngineTelemetry.RouterPrefix + "time_to_first_token_seconds";
    private const string Ended = EngineTelemetry.RouterPrefix + "e2e_request_latency_seconds";
    private const string Checked = EngineTelemetry.RouterPrefix + "spec_decode_num_draft_tokens";
    private const string Right = EngineTelemetry.RouterPrefix + "spec_decode_num_accepted_tokens";

    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly IReadOnlyList<long> _runnerBytes;
    private readonly List<Step> _steps = [];
    private readonly HashSet<int> _branches = []; // of a pass
    private long _checked;
    private long _right;
    private int _firstStarted = -1; // the step with the first of all first tokens
    private int _lastStarted = -1; // the step with the last of all first tokens
    private int _firstEnded = -1;
    private int _lastEnded = -1;

    /// <summary>Begins to listen; engines may start afterwards.</summary>
    /// <param name="runnerBytes">Bytes of weights that a pass of each runner reads.</param>
    public DecodeRecorder(IReadOnlyList<long> runnerBytes)
    {
        _runnerBytes = runnerBytes;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EngineTelemetry.Name && instrument.Name is Generated or FirstToken or Ended or Checked or Right)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, count, tags, _) => Take(instrument.Name, count, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Take(instrument.Name, 1, tags));
        _listener.Start();
    }

    /// <summary>The name that the engines serve under.</summary>
    public string ModelName { get; } = $"bench {Guid.NewGuid():N}";

    public void Dispose() => _listener.Dispose();

    /// <summary>A step has run. Engine thread.</summary>
    public void Ran(StepPlan plan)
    {
        var step = new Step { Ended = Stopwatch.GetTimestamp() };
        foreach (var pass in plan.Passes)
        {
            step.WeightBytes += _runnerBytes[pass.Runner];
            _branches.Clear();
            foreach (var row in pass.Rows) _branches.Add(row.Branch);
            step.Passes += _branches.Count;
        }
        lock (_gate) _steps.Add(step);
    }

    /// <summary>
    /// Steps between the last sequence's first token and the first sequence's end; where prompts were read one after the other, so that
    /// there are none, all from the first token on. Forgets what it has noted. Once all sequences have ended.
    /// </summary>
    public DecodeWindow Take()
    {
        lock (_gate)
        {
            var (first, last) = _firstEnded > _lastStarted ? (_lastStarted, _firstEnded) : (_firstStarted, _lastEnded);
            var steps = _steps[(first + 1)..(last + 1)];
            var window = new DecodeWindow(Stopwatch.GetElapsedTime(_steps[first].Ended, _steps[last].Ended).TotalSeconds,
                steps.Sum(step => step.Tokens), steps.Sum(step => step.WeightBytes), steps.Sum(step => step.Passes), _checked, _right);
            _steps.Clear();
            (_checked, _right) = (0, 0);
            (_firstStarted, _lastStarted, _firstEnded, _lastEnded) = (-1, -1, -1, -1);
            return window;
        }
    }

    private void Take(string instrument, long count, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (count == 0 || !IsOurs(tags)) return;
        lock (_gate)
        {
            var step = _steps.Count - 1;
            switch (instrument)
            {
                case Generated:
                    _steps[step].Tokens += (int)count;
                    break;
                case FirstToken:
                    if (_firstStarted < 0) _firstStarted = step;
                    _lastStarted = step;
                    break;
                case Ended:
                    if (_firstEnded < 0) _firstEnded = step;
                    _lastEnded = step;
                    break;
                case Checked:
                    _checked += count;
                    break;
                case Right:
                    _right += count;
                    break;
            }
        }
    }

    private bool IsOurs(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags)
            if (tag.Value is string name && name == ModelName) return true;
        return false;
    }

    private sealed class Step
    {
        public long Ended { get; init; }
        public long WeightBytes { get; set; }
        public int Passes { get; set; }
        public int Tokens { get; set; }
    }
}
