using DeRa.Engine.Scheduling;

namespace DeRa.Architecture.Tests.Planted;

/// <summary>Stands for a type of DeRa.Text, which may know nothing of ours: in mid-body, it uses the engine.</summary>
internal sealed class UpwardReference
{
    public static bool IsExecutor(object value) => value is IStepExecutor;
}
