using System.Collections.Concurrent;
using DeRa.Engine.Requests;

namespace DeRa.Engine.Branches;

/// <summary>
/// The branches of one request, and the one inbox through which anything reaches them while they run. Its state belongs to the
/// engine's thread; <see cref="Post"/> may be called from any.
/// </summary>
/// <param name="branches">At least one.</param>
/// <param name="signal">Called where commands have come in and the engine has not been told yet; any thread.</param>
internal sealed class SequenceGroup(IReadOnlyList<Branch> branches, Action<SequenceGroup> signal)
{
    private readonly ConcurrentQueue<GroupCommand> _commands = new();
    private int _isSignalled;

    /// <summary>Its branches, in the order of its sequences.</summary>
    public IReadOnlyList<Branch> Branches => branches;

    /// <summary>Asks for something; the engine applies it before its next step. Without effect on what has ended. Any thread.</summary>
    public void Post(GroupCommand command)
    {
        _commands.Enqueue(command);
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0) signal(this);
    }

    /// <summary>Applies what was asked for, in order; of changes of strength between two steps only the last takes effect.</summary>
    /// <param name="end">Ends a branch that is cancelled.</param>
    public void ApplyCommands(Action<Branch, FinishReason> end)
    {
        // First the flag: what comes in from here on is signalled again.
        Volatile.Write(ref _isSignalled, 0);
        Interlocked.MemoryBarrier();
        Dictionary<Branch, AlignmentStrengths>? asked = null;
        List<ChangeStrengthsCommand>? changes = null;
        while (_commands.TryDequeue(out var command))
            switch (command)
            {
                case CancelCommand cancel:
                    if (!cancel.Branch.HasEnded) end(cancel.Branch, cancel.Reason);
                    break;
                case ChangeStrengthsCommand change:
                    (asked ??= [])[change.Branch] = change.Strengths;
                    (changes ??= []).Add(change);
                    break;
                case AppendCommand append:
                    append.Branch.Append(append.Tokens.Span);
                    break;
                default:
                    throw new InvalidOperationException($"unknown command {command}");
            }
        foreach (var (branch, strengths) in asked ?? []) branch.ChangeStrengths(strengths);
        foreach (var change in changes ?? []) change.Applied.SetResult(change.Branch.HasEnded ? null : change.Branch.DecidedTokens);
    }
}

/// <summary>What may be asked of a running group.</summary>
/// <param name="Branch">Which of its branches it is for.</param>
internal abstract record GroupCommand(Branch Branch);

/// <summary>End the branch.</summary>
/// <param name="Branch">The branch.</param>
/// <param name="Reason">Its finish reason, unless it ends by itself before; of several the first counts.</param>
internal sealed record CancelCommand(Branch Branch, FinishReason Reason) : GroupCommand(Branch);

/// <summary>Draw the tokens that follow at other strengths.</summary>
/// <param name="Branch">The branch.</param>
/// <param name="Strengths">Finite, for the models that the executor has.</param>
/// <param name="Applied">Gets the output index of the first token at them; null where the branch had ended.</param>
internal sealed record ChangeStrengthsCommand(Branch Branch, AlignmentStrengths Strengths, TaskCompletionSource<int?> Applied)
    : GroupCommand(Branch);

/// <summary>Go on after these tokens, as if they had been drawn.</summary>
/// <param name="Branch">The branch.</param>
/// <param name="Tokens">In the vocabulary.</param>
internal sealed record AppendCommand(Branch Branch, ReadOnlyMemory<int> Tokens) : GroupCommand(Branch);
