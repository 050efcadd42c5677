namespace DeRa.Torch.Native;

/// <summary>
/// libtorch, its shim or the requested device is missing or does not work. The message says what was looked for, where, what failed,
/// and what to install or which option to set.
/// </summary>
public sealed class LibTorchException : Exception
{
    /// <summary>Wraps a message that is shown to the user as it is.</summary>
    /// <param name="message">What failed and what to do about it.</param>
    /// <param name="innerException">The cause, where there is one.</param>
    public LibTorchException(string message, Exception? innerException = null) : base(message, innerException) { }
}
