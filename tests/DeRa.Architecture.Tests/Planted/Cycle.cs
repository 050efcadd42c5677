#pragma warning disable IDE0130, IDE0161, CA1812, CA1852 // Several namespaces in one file: what is planted is seen at a glance.
namespace DeRa.Architecture.Tests.Planted.Cycle.Low
{
    internal sealed class Entry
    {
        // Within an async lambda: what the compiler makes of it counts as the type's own.
        public Func<Task<object>> Upward { get; } = async () =>
        {
            await Task.Yield();
            return Array.Empty<Middle.Step>();
        };
    }
}

namespace DeRa.Architecture.Tests.Planted.Cycle.Middle
{
    [AttributeUsage(AttributeTargets.All)]
    internal sealed class UsesAttribute(Type type) : Attribute
    {
        public Type Type => type;
    }

    [Uses(typeof(High.Program))]
    internal sealed class Step;
}

namespace DeRa.Architecture.Tests.Planted.Cycle.High
{
    internal sealed class Program
    {
        public static object Start() => new Lazy<List<Low.Entry>>();
    }
}

namespace DeRa.Architecture.Tests.Planted.Cycle.Outside
{
    internal sealed class User
    {
        public Low.Entry? Entry { get; }
    }
}
