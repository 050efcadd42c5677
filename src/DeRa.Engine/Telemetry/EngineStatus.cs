namespace DeRa.Engine.Telemetry;

/// <summary>The engine's load at one moment.</summary>
/// <param name="RunningSequences">Sequences in the batch.</param>
/// <param name="QueuedSequences">Sequences that wait for a place in it.</param>
/// <param name="BlocksInUse">Cache blocks held.</param>
/// <param name="BlockCount">Cache blocks there are.</param>
/// <param name="SinceHeartbeat">Time since the engine's thread last began a step or an idle wait; liveness is its age.</param>
/// <param name="IsRunning">False once the engine has stopped.</param>
/// <param name="FailedSteps">Steps in a row, up to now, in which every row failed.</param>
public sealed record EngineStatus(int RunningSequences, int QueuedSequences, int BlocksInUse, int BlockCount,
    TimeSpan SinceHeartbeat, bool IsRunning, int FailedSteps);
