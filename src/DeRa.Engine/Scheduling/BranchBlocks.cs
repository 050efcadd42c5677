using DeRa.Engine.Branches;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// The cache blocks of branches that run: which they fill, and which are their own alone. A block that several branches hold is filled
/// once for each model, by one of them, while the others wait for that; it is copied when one of them is to write something else there.
/// Engine thread only.
/// </summary>
/// <param name="store">The blocks.</param>
/// <param name="limits">What the executor can take.</param>
internal sealed class BranchBlocks(BlockStore store, ExecutorLimits limits)
{
    private readonly int _blockTokens = limits.BlockTokens;
    // Blocks that the step copies: nobody else gets them before its end, since it may have to be run again.
    private readonly List<int> _copied = [];
    private readonly SharedPrefixes _prefixes = new(store, limits.BlockTokens);

    /// <summary>Blocks that hold so many tokens.</summary>
    public int BlocksFor(long tokens) => _prefixes.BlocksFor(tokens);

    /// <summary>Takes the blocks of a branch's text, or none; of a reserved one all that it may ever need.</summary>
    /// <param name="branch">A branch without blocks.</param>
    /// <param name="reserve">Blocks that must be left.</param>
    /// <returns>How many tokens of its text were in nobody's block; null where blocks are lacking.</returns>
    public int? TryAcquire(Branch branch, int reserve)
    {
        if (_prefixes.CountTaken(branch) + reserve > store.Available) return null;
        var newTokens = 0;
        foreach (var context in branch.Contexts) newTokens += _prefixes.Acquire(branch, context);
        return newTokens;
    }

    /// <summary>Gives back all blocks of a branch: of what is kept, the end of its text is the first to go.</summary>
    public void Release(Branch branch)
    {
        foreach (var context in branch.Contexts)
        {
            for (var i = context.Blocks.Count - 1; i >= 0; i--)
            {
                store.RemoveFiller(context.Blocks[i], branch);
                store.Return(context.Blocks[i]);
            }
            context.Blocks.Clear();
            context.BlockNumbers.Clear();
        }
    }

    /// <summary>
    /// Sees before a step what a branch has: blocks for all that is decided, models behind what others have computed, and blocks that it
    /// may write into.
    /// </summary>
    /// <param name="branch">A running branch.</param>
    /// <param name="copies">Receives copies of blocks that it must not write into.</param>
    /// <returns>False where a block is lacking; then it may be called again once there is one.</returns>
    public bool TryPrepare(Branch branch, List<BlockCopy> copies)
    {
        var hasAll = true;
        foreach (var context in branch.Contexts)
            hasAll &= TryTruncate(branch, context, copies) && TryExtend(context, branch.DecidedLength(context));
        foreach (var model in branch.Strengths.ActiveModels) SkipFilled(branch, model);
        foreach (var context in branch.Contexts) hasAll &= TryMakeWritable(branch, context, copies);
        // A guess without a block is not run.
        if (hasAll)
            foreach (var context in branch.Contexts) TryExtend(context, context.Length);
        return hasAll;
    }

    /// <summary>
    /// How many tokens a model can run from a position on: up to where another branch is about to, or where nothing may be written.
    /// </summary>
    /// <param name="branch">A running branch.</param>
    /// <param name="model">An active model.</param>
    /// <param name="start">What the model has computed, and what it runs in this step already.</param>
    /// <param name="most">At most so many are of interest.</param>
    public int ReadyTokens(Branch branch, int model, int start, int most)
    {
        var context = branch.ContextOf(model);
        var end = (int)Math.Min(Math.Min(context.Length, (long)context.Blocks.Count * _blockTokens), (long)start + most);
        var position = start;
        while (position < end)
        {
            var index = position / _blockTokens;
            var block = context.Blocks[index];
            var blockEnd = ContentEnd(block, index);
            if (position >= blockEnd || store.IsFilled(block, model) || IsFilledByOther(branch, model, block)) break;
            position = Math.Min(blockEnd, end);
            if (IsRest(block)) break;
        }
        return Math.Max(0, position - start);
    }

    /// <summary>A model of the branch runs tokens in this step: nobody else does.</summary>
    public void Claim(Branch branch, int model, int start, int end)
    {
        var blocks = branch.ContextOf(model).Blocks;
        for (var i = start / _blockTokens; i <= (end - 1) / _blockTokens; i++) store.SetFiller(blocks[i], model, branch);
    }

    /// <summary>The step has run: blocks that it copied may go.</summary>
    public void ReturnCopied()
    {
        foreach (var block in _copied) store.Return(block);
        _copied.Clear();
    }

    /// <summary>After a step: what its models have computed is there for others, and what is full and decided gets its name.</summary>
    public void Commit(Branch branch)
    {
        // Of all models: those that ran in the step may weigh nothing in the token that comes next.
        for (var model = 0; model < limits.ModelCount; model++) SetFilled(branch, model);
        foreach (var context in branch.Contexts) _prefixes.NameFull(branch, context);
    }

    /// <summary>Gives a fork the full blocks of its parent, and one of its own for what does not fill one.</summary>
    /// <param name="branch">The parent.</param>
    /// <param name="fork">It has no blocks yet.</param>
    /// <param name="copies">Receives copies.</param>
    /// <returns>False where blocks are lacking: it has none then.</returns>
    public bool TryFork(Branch branch, Branch fork, List<BlockCopy> copies)
    {
        if (store.Available < fork.Contexts.Count) return false;
        for (var i = 0; i < fork.Contexts.Count; i++)
        {
            var (from, to) = (branch.Contexts[i], fork.Contexts[i]);
            var full = (branch.DecidedLength(from) - 1) / _blockTokens;
            foreach (var block in from.Blocks[..full])
            {
                store.Hold(block);
                to.Blocks.Add(block);
            }
            to.BlockNumbers.AddRange(from.BlockNumbers[..Math.Min(full, from.BlockNumbers.Count)]);
            if (!store.TryTake(out var rest)) throw new InvalidOperationException("a block that was there is gone");
            if (from.Blocks.Count > full) copies.Add(new BlockCopy(fork.Id, from.Blocks[full], rest));
            to.Blocks.Add(rest);
        }
        return true;
    }

    /// <summary>The position after what a block holds, or is to hold.</summary>
    private int ContentEnd(int block, int index) =>
        index * _blockTokens + (store.NamedTokens(block) is > 0 and var named ? named : _blockTokens);

    private bool IsRest(int block) => store.NamedTokens(block) is > 0 and var named && named < _blockTokens;

    private bool IsFilledByOther(Branch branch, int model, int block) =>
        store.Filler(block, model) is { } filler && filler != branch && filler.Strengths.IsActive(model);

    private bool TryExtend(BranchContext context, int tokens)
    {
        var count = BlocksFor(tokens);
        while (context.Blocks.Count < count)
        {
            if (!store.TryTake(out var block)) return false;
            context.Blocks.Add(block);
        }
        return true;
    }

    /// <summary>What was in blocks behind the end of a text that was cut back is nobody's text any more.</summary>
    private bool TryTruncate(Branch branch, BranchContext context, List<BlockCopy> copies)
    {
        if (!context.IsTruncated) return true;
        var full = branch.DecidedLength(context) / _blockTokens;
        if (context.BlockNumbers.Count > full) context.BlockNumbers.RemoveRange(full, context.BlockNumbers.Count - full);
        for (var i = full; i < context.Blocks.Count; i++)
            if (!TryOwn(branch, context, i, copies)) return false;
            else store.Forget(context.Blocks[i]);
        context.IsTruncated = false;
        return true;
    }

    /// <summary>Goes on behind what others have computed, but for the last token where its logits are not kept.</summary>
    private void SkipFilled(Branch branch, int model)
    {
        if (branch.LastKeptRow(model) >= 0) return;
        var context = branch.ContextOf(model);
        var (position, most) = (branch.ComputedTokens(model), branch.DecidedLength(context) - 1);
        while (position < most && position / _blockTokens < context.Blocks.Count)
        {
            var index = position / _blockTokens;
            var (block, end) = (context.Blocks[index], ContentEnd(context.Blocks[index], index));
            if (position >= end || !store.IsFilled(block, model)) break;
            position = Math.Min(end, most);
        }
        if (position > branch.ComputedTokens(model)) branch.Skip(model, position);
    }

    /// <summary>
    /// Where a model writes next into a block that is filled (the last token again, for its logits; or what follows the rest of a prompt),
    /// the branch leaves it, or takes it out of use for others where it is the only one that holds it. Before, all that its other models
    /// can have of it must be there.
    /// </summary>
    private bool TryMakeWritable(Branch branch, BranchContext context, List<BlockCopy> copies)
    {
        foreach (var model in branch.Strengths.ActiveModels)
        {
            var index = branch.ComputedTokens(model) / _blockTokens;
            if (branch.ContextOf(model) != context || branch.LackedTokens(model) == 0 || index >= context.Blocks.Count) continue;
            var block = context.Blocks[index];
            var end = ContentEnd(block, index);
            if (branch.ComputedTokens(model) < end && !store.IsFilled(block, model) || !CanLeave(branch, context, block)) continue;
            if (!TryOwn(branch, context, index, copies)) return false;
            block = context.Blocks[index];
            if (end - index * _blockTokens < _blockTokens) store.Forget(block);
            foreach (var other in branch.Strengths.ActiveModels)
                if (branch.ContextOf(other) == context && branch.ComputedTokens(other) is var position && position < end
                    && position / _blockTokens == index) store.Reopen(block, other);
        }
        return true;
    }

    private bool CanLeave(Branch branch, BranchContext context, int block)
    {
        if (branch.RunsTogether) return true;
        foreach (var model in branch.Strengths.ActiveModels)
            if (branch.ContextOf(model) == context && !store.IsFilled(block, model)) return false;
        return true;
    }

    /// <summary>Makes a block the branch's alone: a copy, where others hold it.</summary>
    private bool TryOwn(Branch branch, BranchContext context, int index, List<BlockCopy> copies)
    {
        var block = context.Blocks[index];
        if (store.Holders(block) == 1) return true;
        if (!store.TryTake(out var own)) return false;
        store.SetFilledLike(own, block);
        copies.Add(new BlockCopy(branch.Id, block, own));
        store.RemoveFiller(block, branch);
        _copied.Add(block);
        context.Blocks[index] = own;
        return true;
    }

    private void SetFilled(Branch branch, int model)
    {
        var context = branch.ContextOf(model);
        var done = Math.Min(branch.ComputedTokens(model), branch.DecidedLength(context));
        for (var i = done / _blockTokens - 1; i >= 0 && !store.IsFilled(context.Blocks[i], model); i--)
            store.SetFilled(context.Blocks[i], model);
        var rest = context.PromptTokens / _blockTokens;
        if (rest >= context.Blocks.Count || done < context.PromptTokens) return;
        if (IsRest(context.Blocks[rest])) store.SetFilled(context.Blocks[rest], model);
    }
}
