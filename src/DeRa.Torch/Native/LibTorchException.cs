namespace DeRa.Torch.Native;

/// <summary>
/// libtorch, its shim or a device that was asked for is missing or does not work. The message says what was looked for,
/// where, what failed, and what to install or which option to set.
/// </summary>
public sealed class LibTorchException : Exception
{
    /// <summary>Wraps a message that is ready to be shown to whoever started the program.</summary>
    /// <param name="message">What failed and what to do about it.</param>
    /// <param name="innerException">The cause, where there is one.</param>
    public LibTorchException(string message, Exception? innerException = null) : base(message, innerException) { }
}
