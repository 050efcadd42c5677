using System.Diagnostics;

namespace DeRa.Engine.Branches;

/// <summary>
/// The cache's blocks: how many branches hold each, what is in it, which models have filled it and who is filling it. A block id is
/// valid in every model's cache. A block that nobody holds but that has a name and is filled is kept until its place is needed; of those,
/// the one that was given back first goes first. Owned by the engine's thread; <see cref="InUse"/> may be read from any.
/// </summary>
/// <remarks>
/// A name says all tokens from the text's first on, since it has its parent's number in it, and numbers are never used twice. So what is
/// found under a name is right whatever hashes do.
/// </remarks>
internal sealed class BlockStore
{
    /// <summary>One bit of a mask for each model.</summary>
    public const int MaxModels = 64;

    private readonly int _modelCount;
    private readonly bool _keeps;
    private readonly Block[] _blocks;
    private readonly Branch?[] _fillers;
    private readonly Stack<int> _free;
    private readonly LinkedList<int> _kept = new();
    private readonly Dictionary<BlockName, int> _named;
    private long _lastNumber;
    private volatile int _inUse;

    /// <param name="count">Blocks; ids run over [0, count).</param>
    /// <param name="modelCount">Models of the pair, [1, <see cref="MaxModels"/>].</param>
    /// <param name="keeps">Whether what nobody holds is kept.</param>
    /// <param name="hashBits">See <see cref="BlockNameComparer"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are too many models.</exception>
    public BlockStore(int count, int modelCount, bool keeps, int hashBits = 32)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(modelCount, MaxModels);
        (_modelCount, _keeps) = (modelCount, keeps);
        _blocks = new Block[count];
        _fillers = new Branch?[count * modelCount];
        _free = new Stack<int>(Enumerable.Range(0, count).Reverse());
        _named = new Dictionary<BlockName, int>(new BlockNameComparer(hashBits));
    }

    public int Count => _blocks.Length;

    /// <summary>Blocks that branches hold.</summary>
    public int InUse => _inUse;

    /// <summary>Blocks that can be taken: those that are free, and those that are kept.</summary>
    public int Available => _free.Count + _kept.Count;

    /// <summary>How many blocks have been given back so far by their last holder.</summary>
    public long Returned { get; private set; }

    /// <summary>Takes a block that has no name and is filled for no model; held once.</summary>
    /// <returns>False where none is left.</returns>
    public bool TryTake(out int block)
    {
        if (!_free.TryPop(out block))
        {
            if (_kept.First is not { } oldest) return false;
            block = oldest.Value;
            _kept.RemoveFirst();
            Forget(block);
        }
        _blocks[block].Holders = 1;
        _inUse++;
        return true;
    }

    /// <summary>Counts one more holder of a block that is held or kept.</summary>
    public void Hold(int block)
    {
        ref var held = ref _blocks[block];
        if (held.Holders++ > 0) return;
        if (held.Node?.List is null) throw new InvalidOperationException($"cache block {block} is free and cannot be shared");
        _kept.Remove(held.Node);
        _inUse++;
    }

    /// <summary>Gives a block back.</summary>
    /// <exception cref="InvalidOperationException">Nobody held it.</exception>
    public void Return(int block)
    {
        ref var held = ref _blocks[block];
        if (held.Holders == 0) throw new InvalidOperationException($"cache block {block} was freed twice");
        if (--held.Holders > 0) return;
        Debug.Assert(_inUse > 0);
        _inUse--;
        Returned++;
        for (var model = 0; model < _modelCount; model++) _fillers[block * _modelCount + model] = null;
        if (_keeps && held.Number != 0 && held.Filled != 0)
        {
            _kept.AddLast(held.Node ??= new LinkedListNode<int>(block));
            return;
        }
        Forget(block);
        _free.Push(block);
    }

    /// <summary>How many branches hold it.</summary>
    public int Holders(int block) => _blocks[block].Holders;

    /// <summary>Finds a block by its name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="block">The block, which somebody holds or which is kept.</param>
    public bool TryFind(BlockName name, out int block) => _named.TryGetValue(name, out block);

    /// <summary>The number of a block's name, as its children name it; 0 = it has no name.</summary>
    public long NumberOf(int block) => _blocks[block].Number;

    /// <summary>How many tokens its name says; 0 = it has no name.</summary>
    public int NamedTokens(int block) => _blocks[block].Name.Tokens.Length;

    /// <summary>Names a block, which must have no name; no other block may have this one.</summary>
    /// <param name="block">The block.</param>
    /// <param name="name">Its tokens are copied.</param>
    /// <returns>Its number.</returns>
    public long Name(int block, BlockName name)
    {
        Debug.Assert(_blocks[block].Number == 0);
        var own = name with { Tokens = name.Tokens.ToArray() };
        _named.Add(own, block);
        _blocks[block].Name = own;
        return _blocks[block].Number = ++_lastNumber;
    }

    /// <summary>Takes a block's name, and that it is filled: its holder writes something else into it.</summary>
    public void Forget(int block)
    {
        ref var forgotten = ref _blocks[block];
        if (forgotten.Number != 0) _named.Remove(forgotten.Name);
        (forgotten.Name, forgotten.Number, forgotten.Filled) = (default, 0, 0);
    }

    /// <summary>Whether a model has run all tokens of a block.</summary>
    public bool IsFilled(int block, int model) => (_blocks[block].Filled >> model & 1) == 1;

    /// <summary>A model has run all tokens of a block.</summary>
    public void SetFilled(int block, int model)
    {
        _blocks[block].Filled |= 1UL << model;
        _fillers[block * _modelCount + model] = null;
    }

    /// <summary>A model writes into a filled block again.</summary>
    public void Reopen(int block, int model) => _blocks[block].Filled &= ~(1UL << model);

    /// <summary>Says that a block holds what another does.</summary>
    public void SetFilledLike(int block, int other) => _blocks[block].Filled = _blocks[other].Filled;

    /// <summary>The branch that fills a block for a model; null = none.</summary>
    public Branch? Filler(int block, int model) => _fillers[block * _modelCount + model];

    /// <summary>A branch fills a block for a model from now on: nobody else may write there.</summary>
    public void SetFiller(int block, int model, Branch branch) => _fillers[block * _modelCount + model] = branch;

    /// <summary>A branch that goes fills nothing of a block any more.</summary>
    public void RemoveFiller(int block, Branch branch)
    {
        foreach (ref var filler in _fillers.AsSpan(block * _modelCount, _modelCount))
            if (filler == branch) filler = null;
    }

    private struct Block
    {
        public int Holders;
        public ulong Filled;
        public long Number;
        public BlockName Name;
        public LinkedListNode<int>? Node;
    }
}
