using DeRa.Engine.Branches;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Finds by content what others have, or are about to have, of a text. A block of a prompt is named as soon as somebody holds it, so that
/// whoever comes later with the same text holds it too; the rest of a prompt that fills no block has a name as well. Blocks of the output
/// are named once they are full and decided. Engine thread only.
/// </summary>
/// <param name="store">The blocks.</param>
/// <param name="blockTokens">Tokens that a block holds.</param>
internal sealed class SharedPrefixes(BlockStore store, int blockTokens)
{
    /// <summary>Blocks that hold so many tokens.</summary>
    public int BlocksFor(long tokens) => (int)((tokens + blockTokens - 1) / blockTokens);

    /// <summary>
    /// The blocks that a branch takes of those that are available: new ones, and those that are kept and not held yet. Never too few: its
    /// contexts may have more in common than is counted.
    /// </summary>
    public int CountTaken(Branch branch)
    {
        var count = 0;
        foreach (var context in branch.Contexts)
        {
            var decided = branch.DecidedLength(context);
            var (index, parent) = (0, 0L);
            while (index * blockTokens < decided && CanShare(branch, context, index)
                && store.TryFind(NameOf(branch, context, index, parent), out var block))
            {
                if (store.Holders(block) == 0) count++;
                parent = store.NumberOf(block);
                index++;
            }
            count += BlocksFor(branch.Unit.IsReserved ? context.PromptTokens + (long)branch.Request.MaxTokens : decided) - index;
        }
        return count;
    }

    /// <summary>Takes the blocks of a branch's text in one of its contexts; of a reserved branch all that it may ever need there.</summary>
    /// <returns>How many of its tokens were in nobody's block.</returns>
    public int Acquire(Branch branch, BranchContext context)
    {
        var (decided, newTokens, parent, isNamed) = (branch.DecidedLength(context), 0, 0L, true);
        for (var index = 0; index * blockTokens < decided; index++)
        {
            var isFull = (index + 1) * blockTokens <= decided;
            isNamed &= CanShare(branch, context, index);
            var name = isNamed ? NameOf(branch, context, index, parent) : default;
            if (isNamed && store.TryFind(name, out var block)) store.Hold(block);
            else
            {
                block = Take();
                if (isNamed) store.Name(block, name);
                newTokens += Math.Min(blockTokens, decided - index * blockTokens);
            }
            parent = store.NumberOf(block);
            context.Blocks.Add(block);
            if (isNamed && isFull) context.BlockNumbers.Add(parent);
        }
        if (!branch.Unit.IsReserved) return newTokens;
        var whole = BlocksFor(context.PromptTokens + (long)branch.Request.MaxTokens);
        while (context.Blocks.Count < whole) context.Blocks.Add(Take());
        return newTokens;
    }

    /// <summary>Names blocks that are full of decided tokens and filled for all models that read the context.</summary>
    public void NameFull(Branch branch, BranchContext context)
    {
        while ((context.BlockNumbers.Count + 1) * blockTokens <= branch.DecidedLength(context))
        {
            var index = context.BlockNumbers.Count;
            if (index >= context.Blocks.Count || !IsFilledForAll(branch, context, context.Blocks[index])) return;
            var name = NameOf(branch, context, index, index == 0 ? 0 : context.BlockNumbers[index - 1]);
            if (store.TryFind(name, out var block)) context.BlockNumbers.Add(store.NumberOf(block));
            else context.BlockNumbers.Add(store.Name(context.Blocks[index], name));
        }
    }

    private int Take() =>
        store.TryTake(out var block) ? block : throw new InvalidOperationException("a cache block that was there is gone");

    /// <summary>
    /// Whether a block of its text may be another's too. The token before each that is scored must be run. Of what is decided, the rest
    /// that fills no block is nobody else's. One that is reserved owns the block that it goes on in, or it could lack one to copy it to.
    /// </summary>
    private bool CanShare(Branch branch, BranchContext context, int index)
    {
        var decided = branch.DecidedLength(context);
        return (!branch.PromptScores.AreMissing || (index + 1) * blockTokens < branch.PromptScores.First)
            && ((index + 1) * blockTokens <= decided || branch.DecidedTokens == 0)
            && !(branch.Unit.IsReserved && index == (decided - 1) / blockTokens);
    }

    private BlockName NameOf(Branch branch, BranchContext context, int index, long parent)
    {
        var start = index * blockTokens;
        var length = Math.Min(blockTokens, branch.DecidedLength(context) - start);
        return new BlockName(parent, index == 0 ? branch.CacheScope : null, context.Tokens.Slice(start, length));
    }

    private bool IsFilledForAll(Branch branch, BranchContext context, int block)
    {
        // The rest of a prompt is filled with less than a block.
        if (store.NamedTokens(block) is > 0 and var named && named < blockTokens) return false;
        var isRead = false;
        foreach (var model in branch.Strengths.ActiveModels)
        {
            if (branch.ContextOf(model) != context) continue;
            if (!store.IsFilled(block, model)) return false;
            isRead = true;
        }
        return isRead;
    }
}
