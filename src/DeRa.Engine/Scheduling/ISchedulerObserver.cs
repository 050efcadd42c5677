using DeRa.Engine.Branches;

namespace DeRa.Engine.Scheduling;

/// <summary>Told by the scheduler what happens to branches; engine thread.</summary>
internal interface ISchedulerObserver
{
    /// <summary>A branch has left the queue to run.</summary>
    void Admitted(Branch branch);

    /// <summary>A branch that ran is in the queue again.</summary>
    void Preempted(Branch branch);

    /// <summary>A branch has read its prompt; <see cref="Branch.CachedTokens"/> of it were there.</summary>
    void PromptRead(Branch branch);

    /// <summary>A fork has joined the running ones.</summary>
    void Forked(Branch branch);

    /// <summary>A token is decided.</summary>
    /// <param name="branch">Of this branch.</param>
    /// <param name="before">When its token before was; null for its first.</param>
    void Generated(Branch branch, long? before);

    /// <summary>Guesses have been checked by what was decided.</summary>
    /// <param name="branch">Of this branch, whose last token is the last of what was decided.</param>
    /// <param name="made">How many; at least 1.</param>
    /// <param name="right">How many of them were right.</param>
    void GuessesChecked(Branch branch, int made, int right);

    /// <summary>The mixture's distance from the reference model was measured.</summary>
    /// <param name="branch">Of this branch, whose next token it is at.</param>
    /// <param name="nats">KL(mixture ‖ reference), at least 0.</param>
    void DivergenceMeasured(Branch branch, double nats);

    /// <summary>A branch has ended; its blocks are free, its last event is not out.</summary>
    /// <param name="branch">The branch.</param>
    /// <param name="ran">Whether it ran; else it waited.</param>
    void Ended(Branch branch, bool ran);
}
